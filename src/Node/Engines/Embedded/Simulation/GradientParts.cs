using System.Runtime.InteropServices;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Engines;

/// <summary>A gradient as it reaches its server, part by part.</summary>
/// <param name="first">Its first part.</param>
internal sealed class GradientParts(PushGradient first)
{
    // Half precision, and sums in another order.
    private const double Tolerance = 2e-3;

    private int _received;
    private double _squares;

    public UnrollId Id => first.Id;

    public ParameterVersion Version => first.Version;

    public int Total => first.Total;

    public long Frames => first.Segment.Frames;

    /// <summary>Why it must not be applied; null: it may.</summary>
    public string? Flaw { get; set; }

    /// <summary>Whether all that came are numbers.</summary>
    public bool IsFinite => double.IsFinite(_squares);

    /// <summary>Of what came.</summary>
    public double Norm => Math.Sqrt(_squares);

    /// <summary>What its sender says that it was, before it was clipped.</summary>
    public float SentNorm => first.Segment.GradientNorm;

    /// <summary>Takes the next part; true where that was the last.</summary>
    public bool Add(PushGradient part)
    {
        if (part.Id != Id || part.Total != Total || part.Offset != _received) return false;
        var values = new float[part.Count];
        GradientEncodings.Decode(part.Values.Span, part.Encoding, part.Scale, values);
        foreach (var value in values) _squares += (double)value * value;
        _received += part.Count;
        return _received == Total;
    }

    /// <summary>What came has the norm that the sender gave it.</summary>
    public bool HasNormOf(float maxNorm)
    {
        var expected = Math.Min(SentNorm, maxNorm);
        return Math.Abs(Norm - expected) <= Tolerance * expected;
    }

    /// <summary>Writes NaN into a part that is on its way.</summary>
    public static void Poison(PushGradient part, int place)
    {
        var bytes = MemoryMarshal.AsMemory(part.Values).Span;
        if (part.Encoding == GradientEncoding.Float32) MemoryMarshal.Cast<byte, float>(bytes)[place % part.Count] = float.NaN;
        else MemoryMarshal.Cast<byte, Half>(bytes)[place % part.Count] = Half.NaN;
    }
}

using System.Buffers;
using BenchmarkDotNet.Attributes;
using MessagePack;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Bench;

/// <summary>Stacks of four frames, T = 20 steps of B = 4 environments, to MessagePack and back, where each frame is sent once.</summary>
/// <remarks>Atari's 84 x 84 gray pixels, and MinAtar's 10 x 10 x 4 bits. The copy is what as many bytes of stacks cost to move.</remarks>
[Config(typeof(ShortInProcess))]
public class StackedFramesBenchmarks
{
    private readonly UnrollPool _pool = new();
    private readonly ArrayBufferWriter<byte> _output = new(1 << 24);
    private Unroll _unroll = null!;
    private byte[] _bytes = [], _copy = [];

    [Params(ElementType.UInt8, ElementType.Bit)]
    public ElementType Type { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var frame = Type == ElementType.Bit ? new ObservationSpec(Type, 10, 10, 4) : new ObservationSpec(Type, 84, 84, 1);
        _unroll = new Unroll(new UnrollShape(20, 4, FrameStacking.Stacked(frame, 4), 6));
        var stacking = _unroll.Stacking!;
        var pixels = new byte[stacking.FrameBytes];
        var random = new Random(1);
        for (var row = 0; row < _unroll.Reset.Length; row++)
        {
            random.NextBytes(pixels);
            if (row < 4) stacking.Fill(pixels, _unroll.ObservationAt(row));
            else stacking.Push(_unroll.ObservationAt(row - 4), pixels, _unroll.ObservationAt(row));
        }
        _copy = new byte[_unroll.Observations.Length];
        Encode();
        _bytes = _output.WrittenSpan.ToArray();
        Console.WriteLine($"// {_bytes.Length} bytes an unroll, whose observations are {_unroll.Observations.Length}");
    }

    [Benchmark(Baseline = true)]
    public void CopyObservations() => _unroll.Observations.CopyTo(_copy.AsSpan());

    [Benchmark]
    public void Encode()
    {
        _output.ResetWrittenCount();
        var writer = new MessagePackWriter(_output);
        UnrollCodec.Write(ref writer, _unroll);
        writer.Flush();
    }

    [Benchmark]
    public void Decode()
    {
        var reader = new MessagePackReader(_bytes);
        _pool.Return(UnrollCodec.Read(ref reader, _pool));
    }
}

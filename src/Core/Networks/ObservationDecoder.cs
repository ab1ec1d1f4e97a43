using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Turns stored observations into the floats that a network sees.</summary>
public static class ObservationDecoder
{
    private const float ByteScale = 1f / 255f;

    /// <summary>Decodes a batch: observations [batch × ByteCount] to values [batch × ElementCount].</summary>
    /// <remarks>Float32 is copied, UInt8 becomes value · (1/255), Bit becomes 0 or 1; the unused bits of a row's last byte are
    /// ignored.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit the spec and the batch.</exception>
    public static void Decode(ObservationSpec spec, ReadOnlySpan<byte> observations, int batch, Span<float> values)
    {
        if (observations.Length != batch * spec.ByteCount)
            throw new ArgumentException($"{batch} observations {spec} take {batch * spec.ByteCount} bytes, not {observations.Length}.",
                nameof(observations));
        if (values.Length != batch * spec.ElementCount)
            throw new ArgumentException($"{batch} observations {spec} become {batch * spec.ElementCount} floats, not {values.Length}.",
                nameof(values));
        switch (spec.Type)
        {
            case ElementType.Float32:
                MemoryMarshal.Cast<byte, float>(observations).CopyTo(values);
                break;
            case ElementType.UInt8:
                Conversions.BytesToSingle(observations, ByteScale, values);
                break;
            default:
                for (var row = 0; row < batch; row++)
                    Conversions.BitsToSingle(observations.Slice(row * spec.ByteCount, spec.ByteCount),
                        values.Slice(row * spec.ElementCount, spec.ElementCount));
                break;
        }
    }
}

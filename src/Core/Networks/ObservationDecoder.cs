using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Networks;

/// <summary>Turns stored observations into the floats that a network sees.</summary>
public static class ObservationDecoder
{
    private const float ByteScale = 1f / 255f;

    /// <summary>Decodes a batch: observations [batch × ByteCount] to values [batch × ElementCount].</summary>
    /// <remarks>Float32 is copied, UInt8 becomes value · (1/255), Bit becomes 0 or 1; the unused bits of a row's last byte are ignored.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit the spec and the batch.</exception>
    public static void Decode(ObservationSpec spec, ReadOnlySpan<byte> observations, int batch, Span<float> values)
    {
        if (observations.Length != batch * spec.ByteCount)
            throw new ArgumentException($"{batch} observations {spec} take {batch * spec.ByteCount} bytes, not {observations.Length}.", nameof(observations));
        if (values.Length != batch * spec.ElementCount)
            throw new ArgumentException($"{batch} observations {spec} become {batch * spec.ElementCount} floats, not {values.Length}.", nameof(values));
        switch (spec.Type)
        {
            case ElementType.Float32:
                MemoryMarshal.Cast<byte, float>(observations).CopyTo(values);
                break;
            case ElementType.UInt8:
                DecodeBytes(observations, values);
                break;
            default:
                for (var row = 0; row < batch; row++)
                    DecodeBits(observations.Slice(row * spec.ByteCount, spec.ByteCount), values.Slice(row * spec.ElementCount, spec.ElementCount));
                break;
        }
    }

    private static void DecodeBytes(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var i = 0;
        var scale = Vector128.Create(ByteScale);
        for (; i <= bytes.Length - 16; i += 16)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(bytes.Slice(i, 16)));
            Store(low, values[i..]);
            Store(high, values[(i + 8)..]);
        }
        for (; i < bytes.Length; i++) values[i] = bytes[i] * ByteScale;

        void Store(Vector128<ushort> eight, Span<float> target)
        {
            var (a, b) = Vector128.Widen(eight);
            (Vector128.ConvertToSingle(a.AsInt32()) * scale).CopyTo(target);
            (Vector128.ConvertToSingle(b.AsInt32()) * scale).CopyTo(target[4..]);
        }
    }

    private static void DecodeBits(ReadOnlySpan<byte> bits, Span<float> values)
    {
        var i = 0;
        var lanes = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
        for (; i <= values.Length - 8; i += 8)
        {
            var chosen = Vector256.Equals(Vector256.Create((int)bits[i >> 3]) & lanes, lanes);
            (chosen.AsSingle() & Vector256<float>.One).CopyTo(values[i..]);
        }
        for (; i < values.Length; i++) values[i] = (bits[i >> 3] >> (i & 7)) & 1;
    }
}

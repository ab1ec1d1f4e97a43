using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>Random stored observations.</summary>
internal static class TestObservations
{
    /// <summary>[batch × ByteCount]: floats in -1 … 1, any bytes, bits of which a quarter are set.</summary>
    public static byte[] Random(ObservationSpec spec, int batch, ref RandomStream random)
    {
        var values = new float[batch * spec.ElementCount];
        foreach (ref var value in values.AsSpan())
        {
            value = spec.Type switch
            {
                ElementType.Float32 => 2 * random.NextSingle() - 1,
                ElementType.UInt8 => random.NextInt32(256),
                _ => random.NextInt32(4) == 0 ? 1 : 0,
            };
        }
        return spec.Type switch
        {
            ElementType.Float32 => MemoryMarshal.AsBytes<float>(values).ToArray(),
            ElementType.UInt8 => [.. values.Select(value => (byte)value)],
            _ => Pack(values, batch),
        };
    }

    /// <summary>0 and 1 to bits, least significant first; each row starts a byte.</summary>
    public static byte[] Pack(float[] values, int rows)
    {
        var columns = values.Length / rows;
        var stride = (columns + 7) / 8;
        var bytes = new byte[rows * stride];
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] != 0) bytes[i / columns * stride + i % columns / 8] |= (byte)(1 << (i % columns % 8));
        }
        return bytes;
    }
}

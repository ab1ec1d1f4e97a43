using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class ConversionsTests
{
    [Fact]
    public void Bytes_are_scaled()
    {
        foreach (var size in KernelData.Sizes)
        {
            var bytes = Enumerable.Range(0, size).Select(i => (byte)(i * 37)).ToArray();
            float[] expected = new float[size], actual = new float[size];
            ScalarKernels.BytesToSingle(bytes, 1f / 255, expected);
            Conversions.BytesToSingle(bytes, 1f / 255, actual);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Bits_become_zeros_and_ones_lowest_first()
    {
        foreach (var size in KernelData.Sizes)
        {
            var bits = Enumerable.Range(0, (size + 7) / 8).Select(i => (byte)(i * 37 + 0x95)).ToArray();
            float[] expected = new float[size], actual = new float[size];
            ScalarKernels.BitsToSingle(bits, expected);
            Conversions.BitsToSingle(bits, actual);
            Assert.Equal(expected, actual);
        }
        var eight = new float[8];
        Conversions.BitsToSingle([0b1000_0110], eight);
        Assert.Equal([0, 1, 1, 0, 0, 0, 0, 1], eight);
    }

    [Fact]
    public void Too_few_bits_are_refused() => Assert.Throws<ArgumentException>(() => Conversions.BitsToSingle(new byte[1], new float[9]));
}

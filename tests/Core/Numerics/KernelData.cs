using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Numerics;

/// <summary>Sizes around the widths of vectors, and numbers that are the same in every run.</summary>
internal static class KernelData
{
    public static readonly int[] Sizes = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65, 130];

    /// <summary>Uniform in [-scale, scale).</summary>
    public static float[] Numbers(int count, uint index, float scale = 1)
    {
        var stream = RandomStream.Create(0, StreamRole.Initialization, index);
        var numbers = new float[count];
        foreach (ref var x in numbers.AsSpan()) x = (2 * stream.NextSingle() - 1) * scale;
        return numbers;
    }

    public static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] == actual[i] || Math.Abs(expected[i] - actual[i]) <= tolerance * (1 + Math.Abs(expected[i]))) continue;
            Assert.Fail($"{what}: element {i} of {expected.Length} is {actual[i]}, not {expected[i]}.");
        }
    }
}

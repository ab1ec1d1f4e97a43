namespace Rl.Distributed.Core.Tests;

/// <summary>|actual - expected| ≤ tolerance·(1 + |expected|), element by element.</summary>
internal static class Near
{
    public static void All(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) One(expected[i], actual[i], tolerance, i);
    }

    public static void All(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) One(expected[i], actual[i], tolerance, i);
    }

    public static void One(double expected, double actual, double tolerance = 1e-5, int index = 0) => Assert.True(
        Math.Abs(actual - expected) <= tolerance * (1 + Math.Abs(expected)), $"Element {index} is {actual:R} instead of {expected:R}.");
}

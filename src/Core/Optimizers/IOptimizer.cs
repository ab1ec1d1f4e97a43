namespace Rl.Distributed.Core.Optimizers;

/// <summary>Descends along gradients of one flat parameter vector. Not thread-safe; a step allocates nothing.</summary>
/// <remarks>To resume: copy <see cref="State"/> and <see cref="StepCount"/> into an optimizer made with the same options.</remarks>
public interface IOptimizer
{
    /// <summary>Changes the parameters along gradientScale·gradient.</summary>
    /// <param name="parameters">[count], changed in place.</param>
    /// <param name="gradient">[count], of the loss; must not overlap parameters.</param>
    /// <param name="learningRate">Of this step, after any schedule.</param>
    /// <param name="gradientScale">Factor of the gradient, such as clipping's; it saves a pass over the gradient.</param>
    /// <exception cref="ArgumentException">A length is not the count that the optimizer was made for.</exception>
    void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f);

    /// <summary>The slots [count] that a checkpoint saves and restores in place; their names are part of its format.</summary>
    IReadOnlyList<(string Name, float[] Values)> State { get; }

    /// <summary>Steps taken so far; part of the state.</summary>
    long StepCount { get; set; }
}

internal static class OptimizerArguments
{
    public static void CheckLengths(int count, int parameters, int gradient)
    {
        if (parameters == count && gradient == count) return;
        throw new ArgumentException(
            $"The optimizer was made for {count} parameters; it was given {parameters} parameters and a gradient of length {gradient}.");
    }
}

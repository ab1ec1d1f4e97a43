using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>ε-greedy exploration with a different end for each learner.</summary>
/// <remarks>Mnih et al. 2016, section 8: each learner draws its final ε from {0.1, 0.01, 0.5} with probabilities 0.4, 0.3, 0.3.</remarks>
public static class Exploration
{
    /// <summary>Draws a learner's final ε.</summary>
    public static float DrawFinal(ref RandomStream random) => random.NextSingle() switch
    {
        < 0.4f => 0.1f,
        < 0.7f => 0.01f,
        _ => 0.5f,
    };

    /// <summary>ε falls linearly from 1 to its final value over so many frames of all learners.</summary>
    public static float At(float final, long frames, long annealedOver) => (float)new LinearSchedule(1, final, annealedOver).At(frames);

    /// <summary>chosen[i] = the first action with the largest value or, with probability ε, any: values is [rows, actions].</summary>
    public static void Choose(ReadOnlySpan<float> values, float epsilon, ref RandomStream random, Span<int> chosen)
    {
        var actions = values.Length / chosen.Length;
        Categorical.ArgMax(values, chosen);
        foreach (ref var action in chosen)
            if (random.NextSingle() < epsilon)
                action = random.NextInt32(actions);
    }
}

using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>One copy of your own game or simulation. Implement <see cref="IDiscreteEnvironment"/> or <see cref="IContinuousEnvironment"/>.</summary>
/// <remarks>
/// The order of calls: the constructor and Spec once, then Reset, then Step until an outcome has ended, then Reset again. One thread
/// calls one copy, but many copies live side by side on several threads: keep no state in static fields. All luck comes from
/// the random stream that is passed in: then the same seed gives the same episodes. Step should allocate nothing. What it throws ends the
/// worker with that message. An environment that is also IDisposable is disposed at the end.
/// <code>
/// public sealed class Coin : IDiscreteEnvironment
/// {
///     private bool _heads;
///
///     public EnvironmentSpec Spec { get; } = new("coin", new ObservationSpec(ElementType.Float32, 1), new DiscreteActionSpec(2));
///
///     public void Reset(ref RandomStream random, ObservationWriter observation)
///     {
///         _heads = random.NextInt32(2) == 1;
///         observation.Floats[0] = _heads ? 1 : 0;
///     }
///
///     public Outcome Step(int action, ref RandomStream random, ObservationWriter observation) =>
///         new(Reward: (action == 1) == _heads ? 1 : 0, Terminated: true);
/// }
/// </code>
/// </remarks>
public interface IEnvironment
{
    /// <summary>What is seen and what may be done: the same for every copy, at any time.</summary>
    EnvironmentSpec Spec { get; }

    /// <summary>Starts an episode.</summary>
    /// <param name="random">All luck comes from here; it is kept for you, so do not store a copy of it.</param>
    /// <param name="observation">All zero: write what is seen first.</param>
    void Reset(ref RandomStream random, ObservationWriter observation);

    /// <summary>Draws the environment as it is now, for people; it must change nothing. Without it there is a note that none is drawn.</summary>
    void Render(TextCanvas canvas)
    {
        const string Text = "This environment has no Render.";
        canvas.Clear(Text.Length, 1);
        for (var x = 0; x < Text.Length; x++) canvas.Put(x, 0, Text[x]);
    }
}

/// <summary>An environment whose actions are numbered: 0 … Count - 1 of its <see cref="DiscreteActionSpec"/>.</summary>
public interface IDiscreteEnvironment : IEnvironment
{
    /// <summary>Plays one action.</summary>
    /// <param name="action">0 … Count - 1, checked before.</param>
    /// <param name="random">All luck comes from here.</param>
    /// <param name="observation">All zero: write what is seen after the action, also when the episode ends with it.</param>
    /// <returns>The reward; whether the task ended the episode (terminated), or a limit such as that of time did (truncated).</returns>
    Outcome Step(int action, ref RandomStream random, ObservationWriter observation);
}

/// <summary>An environment whose action is a vector: Dimensions numbers of its <see cref="ContinuousActionSpec"/>.</summary>
public interface IContinuousEnvironment : IEnvironment
{
    /// <summary>Plays one action.</summary>
    /// <param name="action">Dimensions finite numbers; they may lie outside the bounds, where the environment clips them.</param>
    /// <param name="random">All luck comes from here.</param>
    /// <param name="observation">All zero: write what is seen after the action, also when the episode ends with it.</param>
    /// <returns>The reward; whether the task ended the episode (terminated), or a limit such as that of time did (truncated).</returns>
    Outcome Step(ReadOnlySpan<float> action, ref RandomStream random, ObservationWriter observation);
}

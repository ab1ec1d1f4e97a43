using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>With some probability the last action is played instead of the chosen one (Machado et al. 2018, arXiv:1709.06009).</summary>
/// <remarks>
/// Each step draws u in [0, 1) for each copy; if u is below the probability the copy plays its last action, and what it plays becomes its
/// last action. That is 0 at first (a vector of zeros, where actions are continuous) and outlives resets: as in MinAtar's games, which have
/// sticky actions of their own.
/// </remarks>
public sealed class StickyActions : EnvironmentWrapper
{
    private readonly double _probability;
    private readonly int[] _actions;
    private readonly float[] _forces;
    private readonly int _dimensions;
    private RandomStream _random;

    /// <param name="inner">The environments.</param>
    /// <param name="probability">That the last action is played again.</param>
    /// <param name="random">Of what is drawn here; not one that the environments draw from.</param>
    public StickyActions(IEnvironmentBatch inner, double probability, RandomStream random)
        : base(inner)
    {
        if (!(probability is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(probability), probability, "A probability is 0 to 1.");
        (_probability, _random) = (probability, random);
        _dimensions = Spec.Action is ContinuousActionSpec continuous ? continuous.Dimensions : 0;
        (_actions, _forces) = (new int[_dimensions == 0 ? Count : 0], new float[Count * _dimensions]);
    }

    public override void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        if (_dimensions > 0) throw new NotSupportedException($"Environment '{Spec.Name}' has continuous actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, Spec.DiscreteActions);
        for (var i = 0; i < actions.Length; i++)
            if (!Sticks()) _actions[i] = actions[i];
        Inner.Step(_actions, results);
    }

    public override void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        if (_dimensions == 0) throw new NotSupportedException($"Environment '{Spec.Name}' has discrete actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions);
        for (var i = 0; i < actions.Length; i += _dimensions)
            if (!Sticks()) actions.Slice(i, _dimensions).CopyTo(_forces.AsSpan(i));
        Inner.Step(_forces, results);
    }

    private bool Sticks() => _random.NextDouble() < _probability;
}

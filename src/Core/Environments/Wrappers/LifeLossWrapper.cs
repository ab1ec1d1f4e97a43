namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Tells the learner of lost lives, as <see cref="LifeLoss"/> says.</summary>
/// <remarks>
/// A life is lost where a copy has fewer than before and at least one left: at none the game's end follows and is an end anyway (Qbert shows
/// no lives for some frames before it). Reset: the step is Terminated with the note GameGoesOn, and the final observation is the one that
/// is acted on next, too. Roll: the step has the note NoBootstrap.
/// </remarks>
public sealed class LifeLossWrapper : EnvironmentWrapper
{
    private readonly bool _resets;
    private readonly int[] _lives;

    /// <exception cref="ArgumentException">The environment has no lives, or there is nothing to tell.</exception>
    public LifeLossWrapper(IEnvironmentBatch inner, LifeLoss lifeLoss)
        : base(inner)
    {
        if (lifeLoss is not (LifeLoss.Reset or LifeLoss.Roll))
            throw new ArgumentException($"A lost life means {lifeLoss}; there is nothing to do.", nameof(lifeLoss));
        if (Lives.Length != Count) throw NoLives(inner.Spec.Name, lifeLoss);
        _resets = lifeLoss == LifeLoss.Reset;
        _lives = Lives.ToArray();
    }

    internal static ArgumentException NoLives(string name, LifeLoss lifeLoss) =>
        new($"'{name}' has no lives to lose; leave lifeLoss: {lifeLoss.ToString().ToLowerInvariant()} out.", nameof(EnvironmentOptions.LifeLoss));

    public override void Reset(Span<byte> observations)
    {
        Inner.Reset(observations);
        Lives.CopyTo(_lives);
    }

    public override void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        Inner.Step(actions, results);
        Tell(results);
    }

    public override void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        Inner.Step(actions, results);
        Tell(results);
    }

    private void Tell(in StepResults results)
    {
        var lives = Lives;
        for (var i = 0; i < _lives.Length; i++)
        {
            var isLost = lives[i] < _lives[i] && lives[i] > 0;
            _lives[i] = lives[i];
            if (!isLost || results.Terminated[i] | results.Truncated[i]) continue;
            if (!results.Notes.IsEmpty) results.Notes[i] |= _resets ? StepNotes.GameGoesOn : StepNotes.NoBootstrap;
            if (!_resets) continue;
            results.Terminated[i] = true;
            var bytes = Spec.Observation.ByteCount;
            results.Observations.Slice(i * bytes, bytes).CopyTo(results.FinalObservations.Slice(i * bytes, bytes));
        }
    }
}

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Truncates episodes after so many steps, beside whatever limit the environment has itself.</summary>
/// <remarks>Stands around one copy, see <see cref="SideBySide"/>: only so a single one can be reset. An episode that its task ends at the
/// limit is terminated and truncated both. Where an episode ends for the learner only (<see cref="StepNotes.GameGoesOn"/>), the game's steps are
/// counted on, and the limit ends the game.</remarks>
public sealed class TimeLimit : EnvironmentWrapper
{
    private readonly int _limit;
    private int _steps;

    /// <exception cref="ArgumentException">The batch has more copies than one.</exception>
    public TimeLimit(IEnvironmentBatch one, int limit)
        : base(one)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        SideBySide.CheckIsOne(one);
        _limit = limit;
    }

    public override void Reset(Span<byte> observations)
    {
        Inner.Reset(observations);
        _steps = 0;
    }

    public override void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        Inner.Step(actions, results);
        Limit(results);
    }

    public override void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        Inner.Step(actions, results);
        Limit(results);
    }

    private void Limit(in StepResults results)
    {
        var goesOn = !results.Notes.IsEmpty && (results.Notes[0] & StepNotes.GameGoesOn) != 0;
        var hasEnded = (results.Terminated[0] | results.Truncated[0]) && !goesOn;
        if (++_steps >= _limit)
        {
            results.Truncated[0] = true;
            if (goesOn) results.Notes[0] &= ~StepNotes.GameGoesOn;
            if (!hasEnded)
            {
                results.Observations.CopyTo(results.FinalObservations);
                Inner.Reset(results.Observations);
            }
            hasEnded = true;
        }
        if (hasEnded) _steps = 0;
    }
}

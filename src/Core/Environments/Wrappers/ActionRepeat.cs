namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Plays each action k times, or until the episode ends, and sums the rewards; what is between is not seen.</summary>
/// <remarks>Stands around one copy, see <see cref="SideBySide"/>: others must not wait for the end of its episode. Whoever counts steps
/// counts those of the agent. A note of any repetition is one of the step.</remarks>
public sealed class ActionRepeat : EnvironmentWrapper
{
    private readonly int _repeats;

    /// <exception cref="ArgumentException">The batch has more copies than one.</exception>
    public ActionRepeat(IEnvironmentBatch one, int repeats)
        : base(one)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(repeats);
        SideBySide.CheckIsOne(one);
        _repeats = repeats;
    }

    public override void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        var sum = new Sum();
        for (var i = 0; i < _repeats && !sum.Ended; i++)
        {
            Inner.Step(actions, results);
            sum.Add(results);
        }
        sum.Write(results);
    }

    public override void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        var sum = new Sum();
        for (var i = 0; i < _repeats && !sum.Ended; i++)
        {
            Inner.Step(actions, results);
            sum.Add(results);
        }
        sum.Write(results);
    }

    private struct Sum
    {
        private double _reward;
        private StepNotes _notes;

        public bool Ended { get; private set; }

        public void Add(in StepResults results)
        {
            _reward += results.Rewards[0];
            Ended = results.Terminated[0] | results.Truncated[0];
            if (results.Notes.IsEmpty) return;
            _notes |= results.Notes[0];
            results.Notes[0] = StepNotes.None;
        }

        public readonly void Write(in StepResults results)
        {
            results.Rewards[0] = (float)_reward;
            if (!results.Notes.IsEmpty) results.Notes[0] = _notes;
        }
    }
}

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Shows the last k frames at once.</summary>
/// <remarks>
/// What a stack looks like says <see cref="FrameStacking"/>: of images [H, W, C] it is [H, W, k·C], of vectors [n] [k·n], oldest first.
/// Where an episode starts its first frame fills the stack, after a lost life that ends one too; what an episode showed last is a stack
/// as well.
/// </remarks>
public sealed class FrameStack : EnvironmentWrapper
{
    private readonly FrameStacking _stacking;
    private readonly byte[] _frames, _finalFrames, _stacks;

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="frames"/> is below 2.</exception>
    public FrameStack(IEnvironmentBatch inner, int frames)
        : base(inner)
    {
        Spec = inner.Spec with { Observation = FrameStacking.Stacked(inner.Spec.Observation, frames) };
        _stacking = new FrameStacking(Spec.Observation);
        (_frames, _finalFrames) = (new byte[Count * _stacking.FrameBytes], new byte[Count * _stacking.FrameBytes]);
        _stacks = new byte[Count * _stacking.StackBytes];
    }

    public override EnvironmentSpec Spec { get; }

    public override void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        Inner.Reset(_frames);
        for (var i = 0; i < Count; i++) _stacking.Fill(Row(_frames, i, _stacking.FrameBytes), Row(_stacks, i, _stacking.StackBytes));
        _stacks.CopyTo(observations);
    }

    public override void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        BatchArguments.CheckResults(Spec, Count, results);
        Inner.Step(actions, Frames(results));
        Stack(results);
    }

    public override void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        BatchArguments.CheckResults(Spec, Count, results);
        Inner.Step(actions, Frames(results));
        Stack(results);
    }

    private StepResults Frames(in StepResults results) => new()
    {
        Observations = _frames,
        FinalObservations = _finalFrames,
        Rewards = results.Rewards,
        Terminated = results.Terminated,
        Truncated = results.Truncated,
        Notes = results.Notes,
    };

    private void Stack(in StepResults results)
    {
        var (frameBytes, stackBytes) = (_stacking.FrameBytes, _stacking.StackBytes);
        for (var i = 0; i < Count; i++)
        {
            var frame = Row(_frames, i, frameBytes);
            var stack = Row(_stacks, i, stackBytes);
            if (results.Terminated[i] | results.Truncated[i])
            {
                _stacking.Push(stack, Row(_finalFrames, i, frameBytes), results.FinalObservations.Slice(i * stackBytes, stackBytes));
                _stacking.Fill(frame, stack);
            }
            else
            {
                _stacking.Push(stack, frame, stack);
            }
        }
        _stacks.CopyTo(results.Observations);
    }

    private static Span<byte> Row(byte[] rows, int index, int bytes) => rows.AsSpan(index * bytes, bytes);
}

using Rl.Distributed.Core.Environments;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>Steps one learner's environments through segments of T steps, and keeps what was seen and earned.</summary>
/// <remarks>
/// Not thread-safe; stepping allocates nothing. Shapes, time first: observations and resets [T+1][B], the last row is the first of the
/// next segment; actions, rewards, discounts [T][B]. Reset: that observation starts an episode. Discounts are γ, or 0 where an episode
/// ended or nothing that follows counts; where a limit ended one, the caller adds γ times the worth of its final observation to the reward.
/// <code>
/// stepper.Begin();
/// for (var t = 0; t &lt; steps; t++)
/// {
///     Choose(stepper.ObservationsAt(t), stepper.ActionsAt(t));
///     foreach (var b in stepper.Step(t)) stepper.RewardsAt(t)[b] += discount * Worth(stepper.FinalObservations, b);
/// }
/// </code>
/// </remarks>
internal sealed class SegmentStepper : IDisposable
{
    private readonly IEnvironmentBatch _environments;
    private readonly LearnerLog _log;
    private readonly int _steps, _count, _rowBytes;
    private readonly StepAccount _account;
    private readonly byte[] _observations, _final;
    private readonly bool[] _reset;
    private readonly int[] _actions;
    private readonly float[] _rewards, _discounts;

    /// <param name="environments">B environments; they are reset here.</param>
    /// <param name="options">T, γ, the bound of rewards.</param>
    /// <param name="log">Hears of episodes that end.</param>
    public SegmentStepper(IEnvironmentBatch environments, AsyncLearnerOptions options, LearnerLog log)
    {
        if (environments.Count != options.Environments)
            throw new ArgumentException($"There are {environments.Count} environments instead of {options.Environments}.", nameof(environments));
        (_environments, _log, _steps, _count) = (environments, log, options.SegmentLength, environments.Count);
        _account = new StepAccount(environments, new RewardTerms(options.Discount, options.RewardScale, options.RewardClip));
        _rowBytes = _count * environments.Spec.Observation.ByteCount;
        (_observations, _final) = (new byte[(_steps + 1) * _rowBytes], new byte[_rowBytes]);
        _reset = new bool[(_steps + 1) * _count];
        (_actions, _rewards, _discounts) = (new int[_steps * _count], new float[_steps * _count], new float[_steps * _count]);
        _environments.Reset(_observations.AsSpan(_steps * _rowBytes));
        _reset.AsSpan(_steps * _count).Fill(true);
    }

    /// <summary>The environments' name.</summary>
    public string Name => _environments.Spec.Name;

    /// <summary>What ended episodes showed last; only rows that <see cref="Step"/> named mean anything.</summary>
    public ReadOnlySpan<byte> FinalObservations => _final;

    public ReadOnlySpan<int> Actions => _actions;

    public Span<float> Rewards => _rewards;

    public ReadOnlySpan<float> Discounts => _discounts;

    public ReadOnlySpan<byte> ObservationsAt(int t) => _observations.AsSpan(t * _rowBytes, _rowBytes);

    /// <summary>Where actions were taken: rows 0 … T - 1.</summary>
    public ReadOnlySpan<byte> Observations => _observations.AsSpan(0, _steps * _rowBytes);

    /// <summary>Rows t … T.</summary>
    public ReadOnlySpan<byte> ObservationsFrom(int t) => _observations.AsSpan(t * _rowBytes);

    public ReadOnlySpan<bool> ResetAt(int t) => _reset.AsSpan(t * _count, _count);

    public Span<int> ActionsAt(int t) => _actions.AsSpan(t * _count, _count);

    public Span<float> RewardsAt(int t) => _rewards.AsSpan(t * _count, _count);

    /// <summary>Makes the last observations of a segment the first ones of the next.</summary>
    public void Begin()
    {
        ObservationsAt(_steps).CopyTo(_observations);
        ResetAt(_steps).CopyTo(_reset);
    }

    /// <summary>Takes the actions at t.</summary>
    /// <returns>Environments whose episode a limit ended.</returns>
    public ReadOnlySpan<int> Step(int t)
    {
        var truncated = _account.Step(
            ActionsAt(t), _observations.AsSpan((t + 1) * _rowBytes, _rowBytes), _final, RewardsAt(t), _discounts.AsSpan(t * _count, _count),
            _reset.AsSpan((t + 1) * _count, _count), _log);
        _log.AddFrames(_count);
        return truncated;
    }

    public void Dispose() => (_environments as IDisposable)?.Dispose();
}

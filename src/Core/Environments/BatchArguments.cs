namespace Rl.Distributed.Core.Environments;

/// <summary>The argument checks that every batch makes before it changes anything.</summary>
public static class BatchArguments
{
    /// <exception cref="ArgumentException">The observations' length is not count × ByteCount.</exception>
    public static void CheckReset(EnvironmentSpec spec, int count, ReadOnlySpan<byte> observations) =>
        CheckLength(spec, "observations", observations.Length, count * spec.Observation.ByteCount);

    /// <exception cref="ArgumentException">A span's length does not fit the batch.</exception>
    public static void CheckStep(EnvironmentSpec spec, int count, int actions, in StepResults results)
    {
        CheckLength(spec, "actions", actions, count * (spec.Action is ContinuousActionSpec continuous ? continuous.Dimensions : 1));
        CheckResults(spec, count, results);
    }

    /// <exception cref="ArgumentException">A span's length does not fit the batch.</exception>
    public static void CheckResults(EnvironmentSpec spec, int count, in StepResults results)
    {
        var bytes = count * spec.Observation.ByteCount;
        CheckLength(spec, nameof(results.Observations), results.Observations.Length, bytes);
        CheckLength(spec, nameof(results.FinalObservations), results.FinalObservations.Length, bytes);
        CheckLength(spec, nameof(results.Rewards), results.Rewards.Length, count);
        CheckLength(spec, nameof(results.Terminated), results.Terminated.Length, count);
        CheckLength(spec, nameof(results.Truncated), results.Truncated.Length, count);
        if (!results.Notes.IsEmpty) CheckLength(spec, nameof(results.Notes), results.Notes.Length, count);
    }

    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … allowed - 1.</exception>
    public static void CheckActions(EnvironmentSpec spec, ReadOnlySpan<int> actions, int allowed)
    {
        for (var i = 0; i < actions.Length; i++)
            if ((uint)actions[i] >= (uint)allowed) ThrowAction(spec, actions[i], i, allowed);
    }

    /// <exception cref="ArgumentOutOfRangeException">An action is not a finite number.</exception>
    public static void CheckActions(EnvironmentSpec spec, ReadOnlySpan<float> actions)
    {
        for (var i = 0; i < actions.Length; i++)
            if (!float.IsFinite(actions[i])) ThrowNotFinite(spec, actions[i], i);
    }

    /// <exception cref="ArgumentOutOfRangeException">The batch has no such environment.</exception>
    public static void CheckIndex(int index, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
    }

    private static void CheckLength(EnvironmentSpec spec, string what, int length, int expected)
    {
        if (length == expected) return;
        throw new ArgumentException($"{what} of this batch of '{spec.Name}' must have length {expected}, but has {length}.", what);
    }

    private static void ThrowAction(EnvironmentSpec spec, int action, int index, int allowed) => throw new ArgumentOutOfRangeException(
        "actions", action, $"'{spec.Name}' has actions 0 to {allowed - 1}; environment {index} of the batch was given {action}.");

    private static void ThrowNotFinite(EnvironmentSpec spec, float action, int index) => throw new ArgumentOutOfRangeException(
        "actions", action, $"Actions of '{spec.Name}' must be finite; the one at index {index} is {action}.");
}

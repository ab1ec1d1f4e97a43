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
        var bytes = count * spec.Observation.ByteCount;
        CheckLength(spec, "actions", actions, count);
        CheckLength(spec, nameof(results.Observations), results.Observations.Length, bytes);
        CheckLength(spec, nameof(results.FinalObservations), results.FinalObservations.Length, bytes);
        CheckLength(spec, nameof(results.Rewards), results.Rewards.Length, count);
        CheckLength(spec, nameof(results.Terminated), results.Terminated.Length, count);
        CheckLength(spec, nameof(results.Truncated), results.Truncated.Length, count);
    }

    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … allowed - 1.</exception>
    public static void CheckActions(EnvironmentSpec spec, ReadOnlySpan<int> actions, int allowed)
    {
        for (var i = 0; i < actions.Length; i++)
            if ((uint)actions[i] >= (uint)allowed) ThrowAction(spec, actions[i], i, allowed);
    }

    /// <exception cref="ArgumentOutOfRangeException">An action is not a number.</exception>
    public static void CheckActions(EnvironmentSpec spec, ReadOnlySpan<float> actions)
    {
        for (var i = 0; i < actions.Length; i++)
            if (!float.IsFinite(actions[i]))
                throw new ArgumentOutOfRangeException(nameof(actions), actions[i], $"Environment '{spec.Name}' was given an action that is not finite, at index {i}.");
    }

    private static void CheckLength(EnvironmentSpec spec, string what, int length, int expected)
    {
        if (length != expected)
            throw new ArgumentException($"{what} of environment '{spec.Name}' must have length {expected} for this batch, but has {length}.", what);
    }

    private static void ThrowAction(EnvironmentSpec spec, int action, int index, int allowed) => throw new ArgumentOutOfRangeException(
        "actions", action, $"Environment '{spec.Name}' has actions 0 to {allowed - 1}; environment {index} of the batch was given {action}.");
}

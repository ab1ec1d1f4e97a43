namespace Rl.Distributed.Core.Losses;

/// <summary>log π[i] = logit[i] - log Σ exp(logit), without overflow.</summary>
public static class LogSoftmax
{
    /// <summary>log π of one action.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The action is not one of the logits' indices.</exception>
    public static float Of(ReadOnlySpan<float> logits, int action)
    {
        CheckAction(action, logits.Length);
        return logits[action] - Normalizer(logits);
    }

    /// <summary>log Σ exp(logit); NaN if a logit is.</summary>
    public static float Normalizer(ReadOnlySpan<float> logits)
    {
        var greatest = logits[0];
        foreach (var logit in logits) greatest = MathF.Max(greatest, logit);
        var sum = 0f;
        foreach (var logit in logits) sum += MathF.Exp(logit - greatest);
        return greatest + MathF.Log(sum);
    }

    internal static void CheckAction(int action, int actions)
    {
        if ((uint)action >= (uint)actions)
        {
            throw new ArgumentOutOfRangeException(nameof(action), action, $"Actions must be 0 … {actions - 1}.");
        }
    }

    internal static int Rows(int length, int actions, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(actions);
        var rows = length / actions;
        return rows * actions == length
            ? rows
            : throw new ArgumentException($"{name} has length {length}, no multiple of {actions} actions.", name);
    }

    internal static void CheckLength(int length, int expected, string name)
    {
        if (length != expected) throw new ArgumentException($"{name} must have length {expected}, not {length}.", name);
    }
}

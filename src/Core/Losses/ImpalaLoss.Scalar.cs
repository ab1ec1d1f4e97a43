using System.Numerics;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Losses;

public static partial class ImpalaLoss
{
    /// <summary>The scalar twin of <see cref="Compute"/>, composed of the single losses. It allocates.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … A - 1.</exception>
    public static ImpalaLossValues ComputeScalar(
        int steps, int environments, int actions,
        ReadOnlySpan<float> behaviourLogits, ReadOnlySpan<float> logits, ReadOnlySpan<float> values,
        ReadOnlySpan<int> chosenActions, ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts,
        ImpalaLossOptions options, Span<float> logitGradient, Span<float> valueGradient)
    {
        var frames = steps * environments;
        CheckLengths(
            steps, environments, actions, behaviourLogits, logits, values, chosenActions, rewards, discounts, logitGradient, valueGradient);
        logits = logits[..(frames * actions)];
        var (ratios, targets, advantages) = (new float[frames], new float[frames], new float[frames]);
        for (var i = 0; i < frames; i++)
        {
            ratios[i] = MathF.Exp(
                LogSoftmax.Of(logits.Slice(i * actions, actions), chosenActions[i]) -
                LogSoftmax.Of(behaviourLogits.Slice(i * actions, actions), chosenActions[i]));
        }
        VTrace.ComputeBatchScalar(steps, environments, rewards, discounts, ratios, values, options.VTrace, targets, advantages);
        logitGradient.Clear();
        valueGradient.Clear();
        var policyGradient = PolicyGradientLoss.Add(logits, chosenActions, advantages, actions, logitGradient);
        var negativeEntropy = EntropyLoss.Add(logits, actions, options.EntropyCost, logitGradient);
        var value = ValueLoss.Add(values[..frames], targets, options.ValueCost, valueGradient);
        var (ratio, clipped) = (0.0, 0L);
        foreach (var rho in ratios)
        {
            ratio += rho;
            if (rho > ClippedAbove * options.RhoBar) clipped++;
        }
        var total = policyGradient + options.ValueCost * value + options.EntropyCost * negativeEntropy;
        return new(frames, policyGradient, value, -negativeEntropy, total, ratio, clipped);
    }

    private static void CheckLengths(
        int steps, int environments, int actions,
        ReadOnlySpan<float> behaviourLogits, ReadOnlySpan<float> logits, ReadOnlySpan<float> values,
        ReadOnlySpan<int> chosenActions, ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts,
        ReadOnlySpan<float> logitGradient, ReadOnlySpan<float> valueGradient)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(environments);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(actions);
        var frames = checked(steps * environments);
        Check(nameof(behaviourLogits), behaviourLogits.Length, frames * actions);
        if (logits.Length < frames * actions) Check(nameof(logits), logits.Length, frames * actions);
        Check(nameof(values), values.Length, frames + environments);
        Check(nameof(chosenActions), chosenActions.Length, frames);
        Check(nameof(rewards), rewards.Length, frames);
        Check(nameof(discounts), discounts.Length, frames);
        Check(nameof(logitGradient), logitGradient.Length, frames * actions);
        Check(nameof(valueGradient), valueGradient.Length, frames);
        CheckActions(chosenActions, actions);

        void Check(string name, int length, int expected)
        {
            if (length == expected) return;
            throw new ArgumentException(
                $"For {steps} steps, {environments} environments and {actions} actions {name} must have length {expected}, not {length}.",
                name);
        }
    }

    private static void CheckActions(ReadOnlySpan<int> chosenActions, int actions)
    {
        var i = 0;
        var limit = new Vector<uint>((uint)actions);
        for (; i + Vector<int>.Count <= chosenActions.Length; i += Vector<int>.Count)
        {
            if (Vector.GreaterThanOrEqualAny(new Vector<int>(chosenActions[i..]).As<int, uint>(), limit)) break;
        }
        for (; i < chosenActions.Length; i++) LogSoftmax.CheckAction(chosenActions[i], actions);
    }
}

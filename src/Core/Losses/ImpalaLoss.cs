using System.Numerics;
using System.Runtime.InteropServices;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Losses;

/// <summary>IMPALA's loss of a batch and its gradient at the network's heads, V-trace included: the learner's hot loop.</summary>
/// <remarks>
/// Espeholt et al. 2018 (arXiv:1802.01561), section 4.2, with sums over steps and environments:
///   L = Σ -log π(a)·advantage + valueCost·½ Σ (vs - V)² - entropyCost·Σ H(π);   vs and advantage (see <see cref="VTrace"/>) are constants.
///   ∂L/∂logit[i] = advantage·(π[i] - [i = a]) + entropyCost·π[i] (log π[i] + H(π)),   ∂L/∂V = valueCost·(V - vs).
/// Shapes: behaviourLogits, logitGradient [T][B][A]; logits at least [T][B][A], what follows (row T) is not read;
/// values [T+1][B], the last row bootstraps; actions, rewards, discounts, valueGradient [T][B]. discounts[t] is γ·(1 - terminal).
/// The outputs must not alias the inputs. NaN or overflow anywhere in the inputs makes
/// <see cref="ImpalaLossValues.IsFinite"/> false: the caller must not use the gradients.
/// </remarks>
public static partial class ImpalaLoss
{
    /// <summary>A ratio counts as clipped above this multiple of ρ̄.</summary>
    private const float ClippedAbove = 1.001f;

    /// <summary>Value and gradients, vectorised across rows; it allocates nothing.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together, or the workspace is too small.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … A - 1.</exception>
    public static ImpalaLossValues Compute(
        int steps, int environments, int actions,
        ReadOnlySpan<float> behaviourLogits, ReadOnlySpan<float> logits, ReadOnlySpan<float> values,
        ReadOnlySpan<int> chosenActions, ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts,
        ImpalaLossOptions options, ImpalaLossWorkspace workspace, Span<float> logitGradient, Span<float> valueGradient)
    {
        var frames = steps * environments;
        CheckLengths(
            steps, environments, actions, behaviourLogits, logits, values, chosenActions, rewards, discounts, logitGradient, valueGradient);
        if (workspace.Actions != actions || workspace.Frames < frames)
        {
            throw new ArgumentException(
                $"The workspace is for {workspace.Actions} actions and up to {workspace.Frames} frames; the batch has {actions} actions " +
                $"and {frames} frames.",
                nameof(workspace));
        }

        chosenActions.CopyTo(workspace.ChosenActions);
        LaneBlocks.FromRows(behaviourLogits, actions, workspace.Logits);
        BehaviourLogProbabilities(frames, workspace, workspace.Ratios);
        LaneBlocks.FromRows(logits[..(frames * actions)], actions, workspace.Logits);
        var sums = PolicyTerms(frames, workspace, options.RhoBar);

        var targets = workspace.Targets.AsSpan(0, frames);
        var advantages = workspace.Advantages.AsSpan(0, frames);
        VTrace.ComputeBatch(
            steps, environments, rewards, discounts, workspace.Ratios.AsSpan(0, frames), values, options.VTrace, targets, advantages);
        workspace.Advantages.AsSpan(frames).Clear(); // so that lanes beyond the last row add nothing

        var value = ValueTerm(targets, values[..frames], options.ValueCost, valueGradient);
        var policyGradient = PolicyGradient(frames, workspace, options.EntropyCost);
        LaneBlocks.ToRows(workspace.Logits, actions, logitGradient);
        var total = policyGradient + options.ValueCost * value - options.EntropyCost * sums.Entropy;
        return new(frames, policyGradient, value, sums.Entropy, total, sums.Ratio, sums.Clipped);
    }

    /// <summary>log μ(a) of every row into <paramref name="result"/>.</summary>
    private static void BehaviourLogProbabilities(int frames, ImpalaLossWorkspace workspace, Span<float> result)
    {
        var (lanes, actions) = (Vector<float>.Count, workspace.Actions);
        for (var row = 0; row < frames; row += lanes)
        {
            var block = MemoryMarshal.Cast<float, Vector<float>>(workspace.Logits.AsSpan(row * actions, lanes * actions));
            var chosen = new Vector<int>(workspace.ChosenActions, row);
            var greatest = Greatest(block);
            var (sum, logit) = (Vector<float>.Zero, Vector<float>.Zero);
            for (var a = 0; a < block.Length; a++)
            {
                sum += SoftmaxExp.Of(block[a] - greatest);
                logit = Vector.ConditionalSelect(Vector.Equals(chosen, new Vector<int>(a)), block[a], logit);
            }
            (logit - greatest - Vector.Log(sum)).CopyTo(result[row..]);
        }
    }

    /// <summary>Turns log μ(a) into ρ and fills in what the gradient needs of each row.</summary>
    private static (double Entropy, double Ratio, long Clipped) PolicyTerms(int frames, ImpalaLossWorkspace workspace, float rhoBar)
    {
        var (lanes, actions) = (Vector<float>.Count, workspace.Actions);
        var (negativeEntropy, ratios) = (Vector<double>.Zero, Vector<double>.Zero);
        var clipped = Vector<int>.Zero;
        for (var row = 0; row < frames; row += lanes)
        {
            var block = MemoryMarshal.Cast<float, Vector<float>>(workspace.Logits.AsSpan(row * actions, lanes * actions));
            var exponentials = MemoryMarshal.Cast<float, Vector<float>>(workspace.Exponentials.AsSpan(row * actions, lanes * actions));
            var chosen = new Vector<int>(workspace.ChosenActions, row);
            var greatest = Greatest(block);
            var (sum, weighted, logit) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
            for (var a = 0; a < exponentials.Length; a++)
            {
                var below = block[a] - greatest;
                var exponential = SoftmaxExp.Of(below);
                exponentials[a] = exponential;
                sum += exponential;
                weighted += exponential * below;
                logit = Vector.ConditionalSelect(Vector.Equals(chosen, new Vector<int>(a)), below, logit);
            }
            var (inverse, logSum) = (Vector<float>.One / sum, Vector.Log(sum));
            var logProbability = logit - logSum;
            var entropy = weighted * inverse - logSum;
            var ratio = Vector.Exp(logProbability - new Vector<float>(workspace.Ratios, row));
            (greatest + logSum).CopyTo(workspace.LogNormalizer, row);
            inverse.CopyTo(workspace.InverseSum, row);
            entropy.CopyTo(workspace.NegativeEntropy, row);
            logProbability.CopyTo(workspace.LogProbability, row);
            ratio.CopyTo(workspace.Ratios, row);
            if (row + lanes > frames) (entropy, ratio) = (FirstLanes(entropy, frames - row), FirstLanes(ratio, frames - row));
            negativeEntropy += WidenedSum(entropy);
            ratios += WidenedSum(ratio);
            clipped -= Vector.GreaterThan(ratio, new Vector<float>(ClippedAbove * rhoBar)).As<int, int>();
        }
        return (-Vector.Sum(negativeEntropy), Vector.Sum(ratios), Vector.Sum(clipped));
    }

    /// <summary>Overwrites the logits by the gradient at them; returns Σ -log π(a)·advantage.</summary>
    private static double PolicyGradient(int frames, ImpalaLossWorkspace workspace, float entropyCost)
    {
        var (lanes, actions, cost) = (Vector<float>.Count, workspace.Actions, new Vector<float>(entropyCost));
        var loss = Vector<double>.Zero;
        for (var row = 0; row < frames; row += lanes)
        {
            var block = MemoryMarshal.Cast<float, Vector<float>>(workspace.Logits.AsSpan(row * actions, lanes * actions));
            var exponentials = MemoryMarshal.Cast<float, Vector<float>>(workspace.Exponentials.AsSpan(row * actions, lanes * actions));
            var chosen = new Vector<int>(workspace.ChosenActions, row);
            var advantage = new Vector<float>(workspace.Advantages, row);
            var inverse = new Vector<float>(workspace.InverseSum, row);
            // advantage·π + cost·π (log π - Σ π log π) = π·(base + cost·logit)
            var baseline = advantage
                - cost * (new Vector<float>(workspace.LogNormalizer, row) + new Vector<float>(workspace.NegativeEntropy, row));
            for (var a = 0; a < exponentials.Length; a++)
            {
                var gradient = exponentials[a] * inverse * (baseline + cost * block[a]);
                block[a] = gradient - Vector.ConditionalSelect(Vector.Equals(chosen, new Vector<int>(a)), advantage, Vector<float>.Zero);
            }
            loss -= WidenedSum(advantage * new Vector<float>(workspace.LogProbability, row));
        }
        return Vector.Sum(loss);
    }

    /// <summary>½ Σ (vs - V)², and cost·(V - vs) into the gradient.</summary>
    private static double ValueTerm(ReadOnlySpan<float> targets, ReadOnlySpan<float> values, float cost, Span<float> gradient)
    {
        var lanes = Vector<float>.Count;
        var sum = Vector<double>.Zero;
        var i = 0;
        for (; i + lanes <= targets.Length; i += lanes)
        {
            var error = new Vector<float>(values[i..]) - new Vector<float>(targets[i..]);
            (error * cost).CopyTo(gradient[i..]);
            sum += WidenedSum(error * error);
        }
        var rest = 0.0;
        for (; i < targets.Length; i++)
        {
            var error = values[i] - targets[i];
            gradient[i] = error * cost;
            rest += error * error;
        }
        return 0.5 * (Vector.Sum(sum) + rest);
    }

    private static Vector<float> Greatest(ReadOnlySpan<Vector<float>> block)
    {
        var greatest = block[0];
        for (var a = 1; a < block.Length; a++) greatest = Vector.Max(greatest, block[a]);
        return greatest;
    }

    private static Vector<double> WidenedSum(Vector<float> x)
    {
        Vector.Widen(x, out var low, out var high);
        return low + high;
    }

    private static Vector<float> FirstLanes(Vector<float> x, int count) =>
        Vector.ConditionalSelect(Vector.LessThan(Vector.CreateSequence(0, 1), new Vector<int>(count)), x, Vector<float>.Zero);
}

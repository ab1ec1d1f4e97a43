using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>The rule by which parameters follow gradients.</summary>
public enum OptimizerKind
{
    RmsProp,
    Adam,
    Sgd,
    AdaGrad,
    Rprop,
}

/// <summary>An optimizer and its constants; each kind reads those that its description names.</summary>
/// <remarks>Defaults: IMPALA's RMSProp, Espeholt et al. 2018, Table G.1.</remarks>
public sealed record OptimizerOptions
{
    [Description("rmsprop, adam, sgd, adagrad or rprop.")]
    public OptimizerKind Kind { get; init; } = OptimizerKind.RmsProp;

    [Range(0.0, double.MaxValue)]
    [Description("Learning rate at the start; a schedule may lower it. Rprop: the first step size.")]
    public double LearningRate { get; init; } = 6e-4;

    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    [Description("rmsprop: decay α of the mean square.")]
    public double Decay { get; init; } = 0.99;

    [Range(0.0, double.MaxValue)]
    [Description("rmsprop, adam, adagrad: what keeps the denominator from 0.")]
    public double Epsilon { get; init; } = 0.01;

    [Description("rmsprop: √(s + ε) as in TensorFlow 1, instead of √s + ε as in torch.")]
    public bool EpsilonInsideRoot { get; init; }

    [Range(0.0, double.MaxValue)]
    [Description("rmsprop: the mean square at the start: 0 in torch, 1 in TensorFlow 1. adagrad: the sum at the start.")]
    public double InitialMeanSquare { get; init; }

    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    [Description("rmsprop, sgd: momentum; 0 for none.")]
    public double Momentum { get; init; }

    [Description("sgd: Nesterov's look-ahead; needs momentum.")]
    public bool Nesterov { get; init; }

    [Description("rmsprop: subtract the squared mean gradient, so that the denominator is a standard deviation.")]
    public bool Centered { get; init; }

    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    [Description("adam: decay β₁ of the mean.")]
    public double Beta1 { get; init; } = 0.9;

    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    [Description("adam: decay β₂ of the mean square.")]
    public double Beta2 { get; init; } = 0.999;

    [Range(0.0, double.MaxValue)]
    [Description("adam, sgd: weight decay.")]
    public double WeightDecay { get; init; }

    [Description("adam: decay the weights directly (AdamW) instead of through the gradient.")]
    public bool DecoupledWeightDecay { get; init; }

    /// <summary>A new optimizer of <paramref name="count"/> parameters.</summary>
    /// <exception cref="ArgumentException">A constant is out of range, or is set and the kind does not read it.</exception>
    public IOptimizer Create(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Validate();
        return Kind switch
        {
            OptimizerKind.RmsProp => new RmsProp(count, Decay, Epsilon, EpsilonInsideRoot, Momentum, Centered, InitialMeanSquare),
            OptimizerKind.Adam => new Adam(count, Beta1, Beta2, Epsilon, WeightDecay, DecoupledWeightDecay),
            OptimizerKind.Sgd => new Sgd(count, Momentum, Nesterov, WeightDecay),
            OptimizerKind.AdaGrad => new AdaGrad(count, Epsilon, InitialMeanSquare),
            OptimizerKind.Rprop => new Rprop(count),
            _ => throw new ArgumentException($"There is no optimizer kind {Kind}.", nameof(Kind)),
        };
    }

    /// <summary>Refuses constants out of range and combinations that would silently do nothing.</summary>
    private void Validate()
    {
        InRange(nameof(LearningRate), LearningRate, double.MaxValue);
        InRange(nameof(Epsilon), Epsilon, double.MaxValue);
        InRange(nameof(InitialMeanSquare), InitialMeanSquare, double.MaxValue);
        InRange(nameof(WeightDecay), WeightDecay, double.MaxValue);
        InRange(nameof(Decay), Decay, Math.BitDecrement(1.0));
        InRange(nameof(Momentum), Momentum, Math.BitDecrement(1.0));
        InRange(nameof(Beta1), Beta1, Math.BitDecrement(1.0));
        InRange(nameof(Beta2), Beta2, Math.BitDecrement(1.0));

        OnlyFor(nameof(EpsilonInsideRoot), EpsilonInsideRoot, OptimizerKind.RmsProp);
        OnlyFor(nameof(Centered), Centered, OptimizerKind.RmsProp);
        OnlyFor(nameof(Momentum), Momentum != 0, OptimizerKind.RmsProp, OptimizerKind.Sgd);
        OnlyFor(nameof(InitialMeanSquare), InitialMeanSquare != 0, OptimizerKind.RmsProp, OptimizerKind.AdaGrad);
        OnlyFor(nameof(Nesterov), Nesterov, OptimizerKind.Sgd);
        OnlyFor(nameof(WeightDecay), WeightDecay != 0, OptimizerKind.Adam, OptimizerKind.Sgd);
        OnlyFor(nameof(DecoupledWeightDecay), DecoupledWeightDecay, OptimizerKind.Adam);
        if (Nesterov && Momentum == 0)
            throw new ArgumentException($"{nameof(Nesterov)} needs a {nameof(Momentum)} above 0.", nameof(Nesterov));

        void InRange(string name, double value, double most)
        {
            if (value >= 0 && value <= most) return;
            throw new ArgumentException($"{name} is {value}; it must be 0 or more{(most < 1 ? " and below 1" : "")}.", name);
        }

        void OnlyFor(string name, bool isSet, params ReadOnlySpan<OptimizerKind> kinds)
        {
            if (!isSet || kinds.Contains(Kind)) return;
            throw new ArgumentException($"{name} has no meaning for {Kind}; leave it out or choose another kind.", name);
        }
    }
}

using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.Core.Networks;

/// <summary>What follows a hidden layer's sum.</summary>
public enum Activation
{
    /// <summary>max(x, 0), with derivative 0 at 0.</summary>
    Relu,

    Tanh,
}

/// <summary>How weights start; biases start at 0 unless said otherwise.</summary>
public enum Initializer
{
    /// <summary>Orthonormal rows or columns times a gain: √2 in hidden layers, 1 in heads and LSTM gates (Saxe et al. 2014).</summary>
    Orthogonal,

    /// <summary>Normal with standard deviation 1/√fan_in, cut at two standard deviations (drawn again beyond them).</summary>
    FanIn,

    /// <summary>Uniform within ±1/√fan_in, biases too: the default of PyTorch's Linear and Conv2d.</summary>
    Torch,
}

/// <summary>The network of an agent: a torso that turns observations into features, and heads on top.</summary>
public sealed record NetworkOptions
{
    [Description("What turns observations into features: mlp, minatar, nature, impala-shallow or impala-deep.")]
    public string Torso { get; init; } = "mlp";

    [Description("Units of each hidden layer of the mlp torso; empty makes the policy linear. Other torsos have fixed sizes.")]
    public ImmutableArray<int> Hidden { get; init; } = [64, 64];

    [Description("What follows each hidden layer of the mlp torso: relu or tanh. Other torsos use relu.")]
    public Activation Activation { get; init; } = Activation.Relu;

    [Description("Units of an LSTM between the torso and the heads; 0 for none.")]
    [Range(0, 65536)]
    public int Lstm { get; init; }

    [Description("Action values as V + A - mean A, from a value and an advantage head (Wang et al. 2016); policies have no use for it.")]
    public bool Dueling { get; init; }

    [Description("How weights start: orthogonal, fanIn (cut normal, 1/sqrt(fan_in)) or torch (uniform, biases too).")]
    public Initializer Initializer { get; init; } = Initializer.Orthogonal;

    [Description("Factor on the policy head's initial weights, whatever the initializer; small means that play starts nearly uniform.")]
    [Range(0.0, 10.0)]
    public float PolicyHeadScale { get; init; } = 0.01f;

    [Description("Whether vectors of float32 are brought to mean 0 and variance 1 by running statistics, which travel with the weights.")]
    public bool NormalizeObservations { get; init; }

    public bool Equals(NetworkOptions? other) =>
        other is not null && Torso == other.Torso && Hidden.AsSpan().SequenceEqual(other.Hidden.AsSpan()) && Activation == other.Activation
        && Lstm == other.Lstm && Dueling == other.Dueling && Initializer == other.Initializer
        && PolicyHeadScale.Equals(other.PolicyHeadScale) && NormalizeObservations == other.NormalizeObservations;

    public override int GetHashCode() =>
        (Torso.Length * 397) ^ (Lstm << 12) ^ (Hidden.IsDefault ? 0 : Hidden.Length) ^ ((int)Initializer << 8);
}

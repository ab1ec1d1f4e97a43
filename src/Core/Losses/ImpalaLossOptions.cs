using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Losses;

/// <summary>What weighs the parts of IMPALA's loss, and where its ratios are clipped.</summary>
/// <remarks>Defaults: Espeholt et al. 2018, Table G.1 and appendix D.1. An infinite clip means none.</remarks>
public sealed record ImpalaLossOptions
{
    [Range(0.0, double.MaxValue)]
    [Description("Weight of the value error 0.5 Σ (vs - V)².")]
    public float ValueCost { get; init; } = 0.5f;

    [Range(0.0, double.MaxValue)]
    [Description("Weight of the entropy bonus; more keeps the policy random for longer.")]
    public float EntropyCost { get; init; } = 0.01f;

    [Range(0.0, double.PositiveInfinity)]
    [Description("ρ̄: clips the ratio π/μ in front of each temporal difference; inf for no clipping.")]
    public float RhoBar { get; init; } = 1f;

    [Range(0.0, double.PositiveInfinity)]
    [Description("c̄: clips the ratio π/μ in each trace coefficient; inf for no clipping.")]
    public float CBar { get; init; } = 1f;

    [Range(0.0, double.PositiveInfinity)]
    [Description("Clips the ratio π/μ in front of the policy-gradient advantage; inf for no clipping.")]
    public float PgRhoBar { get; init; } = 1f;

    [Range(0.0, 1.0)]
    [Description("λ: factor of each trace coefficient; 1 gives the paper's V-trace.")]
    public float Lambda { get; init; } = 1f;

    public VTraceSettings VTrace => new(RhoBar, CBar, PgRhoBar, Lambda);
}

/// <summary>The parts of IMPALA's loss, each a sum over frames, so that the shards of a batch add up.</summary>
/// <param name="Frames">How many frames the sums run over.</param>
/// <param name="PolicyGradient">Σ -log π(a)·advantage.</param>
/// <param name="Value">½ Σ (vs - V)², not yet times its cost.</param>
/// <param name="Entropy">Σ H(π) in nats, positive, not yet times its cost.</param>
/// <param name="Total">PolicyGradient + ValueCost·Value - EntropyCost·Entropy: what the gradient is of.</param>
/// <param name="Ratio">Σ ρ = Σ π(a)/μ(a), before any clipping.</param>
/// <param name="ClippedFrames">How many frames had ρ above ρ̄, by more than a thousandth: rounding does not count.</param>
public readonly record struct ImpalaLossValues(
    long Frames, double PolicyGradient, double Value, double Entropy, double Total, double Ratio, long ClippedFrames)
{
    /// <summary>False if any input was NaN, or so large that a part overflowed: then the gradients must not be used.</summary>
    public bool IsFinite => double.IsFinite(Total);

    /// <summary>Entropy of the policy, nats a frame.</summary>
    public double MeanEntropy => Entropy / Math.Max(1, Frames);

    /// <summary>ρ before clipping, mean over frames; near 1 when the data is fresh.</summary>
    public double MeanRatio => Ratio / Math.Max(1, Frames);

    /// <summary>The part of the frames that ρ̄ clipped.</summary>
    public double ClippedFraction => (double)ClippedFrames / Math.Max(1, Frames);

    public static ImpalaLossValues operator +(ImpalaLossValues a, ImpalaLossValues b) => new(
        a.Frames + b.Frames, a.PolicyGradient + b.PolicyGradient, a.Value + b.Value, a.Entropy + b.Entropy, a.Total + b.Total,
        a.Ratio + b.Ratio, a.ClippedFrames + b.ClippedFrames);
}

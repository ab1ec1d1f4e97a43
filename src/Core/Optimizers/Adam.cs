using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>Adam; with decoupled weight decay, AdamW.</summary>
/// <remarks>
/// Kingma and Ba 2015 (arXiv:1412.6980), Alg. 1; AdamW: Loshchilov and Hutter 2019 (arXiv:1711.05101), Alg. 2. In step t:
///   coupled decay: g ← g + decay·x;   decoupled: x ← x - learningRate·decay·x,
///   m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   x ← x - learningRate·m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε).
/// State: exp_avg, exp_avg_sq; t is <see cref="StepCount"/>.
/// </remarks>
public sealed class Adam : IOptimizer
{
    private readonly double _beta1, _beta2, _weightDecay;
    private readonly float _epsilon;
    private readonly bool _decoupled;
    private readonly float[] _means, _squares;

    public Adam(
        int count, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
        double weightDecay = 0, bool decoupledWeightDecay = false)
    {
        (_beta1, _beta2, _epsilon, _weightDecay, _decoupled) = (beta1, beta2, (float)epsilon, weightDecay, decoupledWeightDecay);
        (_means, _squares) = (new float[count], new float[count]);
        State = [("exp_avg", _means), ("exp_avg_sq", _squares)];
    }

    public IReadOnlyList<(string Name, float[] Values)> State { get; }

    public long StepCount { get; set; }

    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_means.Length, parameters.Length, gradient.Length);
        StepCount++;
        var done = StepVectors(parameters, gradient, Factors(learningRate), gradientScale);
        StepRest(done, parameters, gradient, Factors(learningRate), gradientScale);
    }

    /// <summary>The scalar twin of <see cref="Step"/>.</summary>
    public void StepScalar(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_means.Length, parameters.Length, gradient.Length);
        StepCount++;
        StepRest(0, parameters, gradient, Factors(learningRate), gradientScale);
    }

    /// <summary>What is the same for all parameters of a step, the bias corrections in double: 1 - 0.999ᵗ cancels.</summary>
    private (float Rate, float RootCorrection, float Coupled, float Kept) Factors(float learningRate) => (
        (float)(learningRate / (1.0 - Math.Pow(_beta1, StepCount))),
        (float)(1.0 / Math.Sqrt(1.0 - Math.Pow(_beta2, StepCount))),
        _decoupled ? 0f : (float)_weightDecay,
        _decoupled ? (float)(1.0 - learningRate * _weightDecay) : 1f);

    private int StepVectors(
        Span<float> parameters, ReadOnlySpan<float> gradient, (float Rate, float RootCorrection, float Coupled, float Kept) factors,
        float gradientScale)
    {
        var x = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var means = MemoryMarshal.Cast<float, Vector<float>>(_means.AsSpan())[..x.Length];
        var squares = MemoryMarshal.Cast<float, Vector<float>>(_squares.AsSpan())[..x.Length];
        var (beta1, rest1) = (new Vector<float>((float)_beta1), new Vector<float>((float)(1.0 - _beta1)));
        var (beta2, rest2) = (new Vector<float>((float)_beta2), new Vector<float>((float)(1.0 - _beta2)));
        var (scale, epsilon) = (new Vector<float>(gradientScale), new Vector<float>(_epsilon));
        var (rate, correction) = (new Vector<float>(factors.Rate), new Vector<float>(factors.RootCorrection));
        var (coupled, kept) = (new Vector<float>(factors.Coupled), new Vector<float>(factors.Kept));
        for (var i = 0; i < gradients.Length; i++)
        {
            var g = gradients[i] * scale + coupled * x[i];
            var mean = beta1 * means[i] + rest1 * g;
            var square = beta2 * squares[i] + rest2 * g * g;
            (means[i], squares[i]) = (mean, square);
            x[i] = x[i] * kept - rate * mean / (Vector.SquareRoot(square) * correction + epsilon);
        }
        return gradients.Length * Vector<float>.Count;
    }

    private void StepRest(
        int first, Span<float> parameters, ReadOnlySpan<float> gradient,
        (float Rate, float RootCorrection, float Coupled, float Kept) factors, float gradientScale)
    {
        var (beta1, rest1, beta2, rest2) = ((float)_beta1, (float)(1.0 - _beta1), (float)_beta2, (float)(1.0 - _beta2));
        for (var i = first; i < parameters.Length; i++)
        {
            var g = gradient[i] * gradientScale + factors.Coupled * parameters[i];
            var mean = beta1 * _means[i] + rest1 * g;
            var square = beta2 * _squares[i] + rest2 * g * g;
            (_means[i], _squares[i]) = (mean, square);
            parameters[i] = parameters[i] * factors.Kept - factors.Rate * mean / (MathF.Sqrt(square) * factors.RootCorrection + _epsilon);
        }
    }
}

using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>AdaGrad, which Gorila used.</summary>
/// <remarks>
/// Duchi et al. 2011 (JMLR 12), the diagonal form. For each parameter x with gradient g:
///   s ← s + g²,   x ← x - learningRate·g / (√s + ε).
/// State: sum, which starts at <c>initialSum</c>.
/// </remarks>
public sealed class AdaGrad : IOptimizer
{
    private readonly float _epsilon;
    private readonly float[] _sums;

    public AdaGrad(int count, double epsilon = 1e-10, double initialSum = 0)
    {
        _epsilon = (float)epsilon;
        _sums = new float[count];
        Array.Fill(_sums, (float)initialSum);
        State = [("sum", _sums)];
    }

    public IReadOnlyList<(string Name, float[] Values)> State { get; }

    public long StepCount { get; set; }

    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_sums.Length, parameters.Length, gradient.Length);
        StepCount++;
        var x = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var sums = MemoryMarshal.Cast<float, Vector<float>>(_sums.AsSpan());
        var (rate, scale, epsilon) = (new Vector<float>(learningRate), new Vector<float>(gradientScale), new Vector<float>(_epsilon));
        for (var i = 0; i < gradients.Length; i++)
        {
            var g = gradients[i] * scale;
            var sum = sums[i] + g * g;
            sums[i] = sum;
            x[i] -= rate * g / (Vector.SquareRoot(sum) + epsilon);
        }
        StepRest(gradients.Length * Vector<float>.Count, parameters, gradient, learningRate, gradientScale);
    }

    /// <summary>The scalar twin of <see cref="Step"/>.</summary>
    public void StepScalar(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_sums.Length, parameters.Length, gradient.Length);
        StepCount++;
        StepRest(0, parameters, gradient, learningRate, gradientScale);
    }

    private void StepRest(int first, Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale)
    {
        for (var i = first; i < parameters.Length; i++)
        {
            var g = gradient[i] * gradientScale;
            _sums[i] += g * g;
            parameters[i] -= learningRate * g / (MathF.Sqrt(_sums[i]) + _epsilon);
        }
    }
}

using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>Resilient propagation: only the gradient's sign counts, and each parameter has its own step size.</summary>
/// <remarks>
/// Riedmiller and Braun 1993; the variant iRprop- of Igel and Hüsken 2000, which torch also has. For each parameter x with gradient g
/// and g' of the step before:
///   g·g' > 0: Δ ← min(η⁺ Δ, Δmax);   g·g' &lt; 0: Δ ← max(η⁻ Δ, Δmin) and g ← 0;   x ← x - sign(g)·Δ.
/// The learning rate is Δ of the first step and is not used later. For large batches: noise in the sign ruins it.
/// State: step_size, previous_gradient; a resumed optimizer has StepCount above 0 and so keeps its step sizes.
/// </remarks>
public sealed class Rprop : IOptimizer
{
    private readonly float _decrease, _increase, _smallest, _largest;
    private readonly float[] _stepSizes, _previous;

    public Rprop(int count, double decrease = 0.5, double increase = 1.2, double smallestStep = 1e-6, double largestStep = 50)
    {
        (_decrease, _increase) = ((float)decrease, (float)increase);
        (_smallest, _largest) = ((float)smallestStep, (float)largestStep);
        (_stepSizes, _previous) = (new float[count], new float[count]);
        State = [("step_size", _stepSizes), ("previous_gradient", _previous)];
    }

    public IReadOnlyList<(string Name, float[] Values)> State { get; }

    public long StepCount { get; set; }

    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        Begin(parameters.Length, gradient.Length, learningRate);
        var x = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var stepSizes = MemoryMarshal.Cast<float, Vector<float>>(_stepSizes.AsSpan());
        var previous = MemoryMarshal.Cast<float, Vector<float>>(_previous.AsSpan());
        var (decrease, increase, scale) = (new Vector<float>(_decrease), new Vector<float>(_increase), new Vector<float>(gradientScale));
        var (smallest, largest, zero) = (new Vector<float>(_smallest), new Vector<float>(_largest), Vector<float>.Zero);
        for (var i = 0; i < gradients.Length; i++)
        {
            var g = gradients[i] * scale;
            var agreement = g * previous[i];
            var (same, opposite) = (Vector.GreaterThan(agreement, zero), Vector.LessThan(agreement, zero));
            var size = stepSizes[i];
            size = Vector.ConditionalSelect(same, Vector.Min(size * increase, largest), size);
            size = Vector.ConditionalSelect(opposite, Vector.Max(size * decrease, smallest), size);
            g = Vector.ConditionalSelect(opposite, zero, g);
            x[i] -= Vector.ConditionalSelect(Vector.GreaterThan(g, zero), size, zero) - Vector.ConditionalSelect(Vector.LessThan(g, zero), size, zero);
            (stepSizes[i], previous[i]) = (size, g);
        }
        StepRest(gradients.Length * Vector<float>.Count, parameters, gradient, gradientScale);
    }

    /// <summary>The scalar twin of <see cref="Step"/>.</summary>
    public void StepScalar(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        Begin(parameters.Length, gradient.Length, learningRate);
        StepRest(0, parameters, gradient, gradientScale);
    }

    private void Begin(int parameters, int gradient, float learningRate)
    {
        OptimizerArguments.CheckLengths(_stepSizes.Length, parameters, gradient);
        if (StepCount++ == 0) Array.Fill(_stepSizes, learningRate);
    }

    private void StepRest(int first, Span<float> parameters, ReadOnlySpan<float> gradient, float gradientScale)
    {
        for (var i = first; i < parameters.Length; i++)
        {
            var g = gradient[i] * gradientScale;
            var agreement = g * _previous[i];
            if (agreement > 0f)
            {
                _stepSizes[i] = MathF.Min(_stepSizes[i] * _increase, _largest);
            }
            else if (agreement < 0f)
            {
                _stepSizes[i] = MathF.Max(_stepSizes[i] * _decrease, _smallest);
                g = 0f;
            }
            parameters[i] -= g > 0f ? _stepSizes[i] : g < 0f ? -_stepSizes[i] : 0f;
            _previous[i] = g;
        }
    }
}

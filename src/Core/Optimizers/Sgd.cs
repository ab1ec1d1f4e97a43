using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>Stochastic gradient descent, with momentum and Nesterov's look-ahead, as torch has it.</summary>
/// <remarks>
/// Sutskever et al. 2013 (ICML), in torch's form. For each parameter x with gradient g:
///   g ← g + decay·x,   b ← momentum·b + g,   x ← x - learningRate·b, or with Nesterov x ← x - learningRate·(g + momentum·b).
/// State: momentum_buffer if there is momentum, else none.
/// </remarks>
public sealed class Sgd : IOptimizer
{
    private readonly int _count;
    private readonly float _momentum, _weightDecay;
    private readonly bool _nesterov;
    private readonly float[] _buffer;

    public Sgd(int count, double momentum = 0, bool nesterov = false, double weightDecay = 0)
    {
        (_count, _momentum, _nesterov, _weightDecay) = (count, (float)momentum, nesterov, (float)weightDecay);
        _buffer = _momentum != 0f ? new float[count] : [];
        State = _momentum != 0f ? [("momentum_buffer", _buffer)] : [];
    }

    public IReadOnlyList<(string Name, float[] Values)> State { get; }

    public long StepCount { get; set; }

    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_count, parameters.Length, gradient.Length);
        StepCount++;
        var x = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var buffer = MemoryMarshal.Cast<float, Vector<float>>(_buffer.AsSpan());
        var (rate, scale) = (new Vector<float>(learningRate), new Vector<float>(gradientScale));
        var (momentum, decay) = (new Vector<float>(_momentum), new Vector<float>(_weightDecay));
        for (var i = 0; i < gradients.Length; i++)
        {
            var g = gradients[i] * scale + decay * x[i];
            if (_momentum != 0f)
            {
                var direction = momentum * buffer[i] + g;
                buffer[i] = direction;
                g = _nesterov ? g + momentum * direction : direction;
            }
            x[i] -= rate * g;
        }
        StepRest(gradients.Length * Vector<float>.Count, parameters, gradient, learningRate, gradientScale);
    }

    /// <summary>The scalar twin of <see cref="Step"/>.</summary>
    public void StepScalar(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_count, parameters.Length, gradient.Length);
        StepCount++;
        StepRest(0, parameters, gradient, learningRate, gradientScale);
    }

    private void StepRest(int first, Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale)
    {
        for (var i = first; i < parameters.Length; i++)
        {
            var g = gradient[i] * gradientScale + _weightDecay * parameters[i];
            if (_momentum != 0f)
            {
                var direction = _momentum * _buffer[i] + g;
                _buffer[i] = direction;
                g = _nesterov ? g + _momentum * direction : direction;
            }
            parameters[i] -= learningRate * g;
        }
    }
}

using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>RMSProp, as torch or as TensorFlow 1 has it, with optional momentum and centring.</summary>
/// <remarks>
/// Tieleman and Hinton 2012; centred: Graves 2013 (arXiv:1308.0850), eq. 38-45. For each parameter x with gradient g:
///   s ← α s + (1 - α) g²,   m ← α m + (1 - α) g  (m only if centred, else m = 0),
///   u = g / (√(s - m²) + ε), or g / √(s - m² + ε) with the epsilon inside the root,
///   b ← momentum·b + u,   x ← x - learningRate·b.
/// torch: epsilon outside and s starts at 0. TensorFlow 1, so DeepMind's papers: epsilon inside and s starts at 1.
/// Rounding can make s - m² negative where g hardly changes: then it is 0.
/// TensorFlow has the learning rate inside b; that differs only while the rate changes.
/// State: square_avg, then grad_avg if centred, then momentum_buffer if there is momentum.
/// </remarks>
public sealed class RmsProp : IOptimizer
{
    private readonly float _decay, _rest, _epsilon, _momentum;
    private readonly bool _epsilonInsideRoot, _centered;
    private readonly float[] _squares, _means, _buffer;

    public RmsProp(
        int count, double decay = 0.99, double epsilon = 0.01, bool epsilonInsideRoot = false, double momentum = 0, bool centered = false,
        double initialMeanSquare = 0)
    {
        (_decay, _rest, _epsilon, _momentum) = ((float)decay, (float)(1.0 - decay), (float)epsilon, (float)momentum);
        (_epsilonInsideRoot, _centered) = (epsilonInsideRoot, centered);
        _squares = new float[count];
        Array.Fill(_squares, (float)initialMeanSquare);
        _means = centered ? new float[count] : [];
        _buffer = _momentum != 0f ? new float[count] : [];
        var state = new List<(string, float[])> { ("square_avg", _squares) };
        if (centered) state.Add(("grad_avg", _means));
        if (_momentum != 0f) state.Add(("momentum_buffer", _buffer));
        State = state;
    }

    public IReadOnlyList<(string Name, float[] Values)> State { get; }

    public long StepCount { get; set; }

    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_squares.Length, parameters.Length, gradient.Length);
        StepCount++;
        var done = StepVectors(parameters, gradient, learningRate, gradientScale);
        StepRest(done, parameters, gradient, learningRate, gradientScale);
    }

    /// <summary>The scalar twin of <see cref="Step"/>.</summary>
    public void StepScalar(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale = 1f)
    {
        OptimizerArguments.CheckLengths(_squares.Length, parameters.Length, gradient.Length);
        StepCount++;
        StepRest(0, parameters, gradient, learningRate, gradientScale);
    }

    private int StepVectors(Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale)
    {
        var x = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var gradients = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var squares = MemoryMarshal.Cast<float, Vector<float>>(_squares.AsSpan())[..x.Length];
        var means = MemoryMarshal.Cast<float, Vector<float>>(_means.AsSpan());
        var buffer = MemoryMarshal.Cast<float, Vector<float>>(_buffer.AsSpan());
        var (decay, rest, epsilon) = (new Vector<float>(_decay), new Vector<float>(_rest), new Vector<float>(_epsilon));
        var (rate, scale, momentum) = (new Vector<float>(learningRate), new Vector<float>(gradientScale), new Vector<float>(_momentum));
        for (var i = 0; i < gradients.Length; i++)
        {
            var g = gradients[i] * scale;
            var square = decay * squares[i] + rest * g * g;
            squares[i] = square;
            if (_centered)
            {
                var mean = decay * means[i] + rest * g;
                means[i] = mean;
                square = Vector.MaxNative(Vector<float>.Zero, square - mean * mean);
            }
            var update = _epsilonInsideRoot ? g / Vector.SquareRoot(square + epsilon) : g / (Vector.SquareRoot(square) + epsilon);
            if (_momentum != 0f) buffer[i] = update += momentum * buffer[i];
            x[i] -= rate * update;
        }
        return gradients.Length * Vector<float>.Count;
    }

    private void StepRest(int first, Span<float> parameters, ReadOnlySpan<float> gradient, float learningRate, float gradientScale)
    {
        for (var i = first; i < parameters.Length; i++)
        {
            var g = gradient[i] * gradientScale;
            var square = _decay * _squares[i] + _rest * g * g;
            _squares[i] = square;
            if (_centered)
            {
                var mean = _decay * _means[i] + _rest * g;
                _means[i] = mean;
                square = MathF.Max(0f, square - mean * mean);
            }
            var update = _epsilonInsideRoot ? g / MathF.Sqrt(square + _epsilon) : g / (MathF.Sqrt(square) + _epsilon);
            if (_momentum != 0f) _buffer[i] = update += _momentum * _buffer[i];
            parameters[i] -= learningRate * update;
        }
    }
}

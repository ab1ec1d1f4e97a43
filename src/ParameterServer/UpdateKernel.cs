using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.ParameterServer;

/// <summary>The constants of one update.</summary>
/// <param name="Decay">α.</param>
/// <param name="Rest">1 - α.</param>
/// <param name="Epsilon">ε, inside the root.</param>
/// <param name="LearningRate">η.</param>
/// <param name="Scale">What the gradient is multiplied by first: clipping.</param>
internal readonly record struct UpdateRates(float Decay, float Rest, float Epsilon, float LearningRate, float Scale);

/// <summary>One pass over shared parameters and their statistics, with plain loads and stores; it leaves the gradient zero and the
/// caller's copy of the parameters fresh.</summary>
/// <remarks>
/// All spans have one length. Where all 16 gradients of a cache line are 0 the parameters stay what they are, bit for bit, so that line
/// is only read, and need not travel between cores; its statistics decay all the same. The order of operations is that of
/// <see cref="Core.Optimizers.RmsProp"/>, so that one thread alone gives the same bits.
/// </remarks>
internal static unsafe class UpdateKernel
{
    private const int Lanes = 16;

    /// <summary>d = scale·gradient, g ← α g + (1 - α) d², θ ← θ - η d / √(g + ε); gradient ← 0, local ← θ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RmsProp(Span<float> theta, Span<float> squares, Span<float> gradient, Span<float> local, in UpdateRates rates)
    {
        var i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            var (decay, rest, epsilon) = (Vector512.Create(rates.Decay), Vector512.Create(rates.Rest), Vector512.Create(rates.Epsilon));
            var (rate, scale) = (Vector512.Create(rates.LearningRate), Vector512.Create(rates.Scale));
            fixed (float* x = theta, s = squares, g = gradient, to = local)
            {
                for (; i <= theta.Length - Lanes; i += Lanes)
                {
                    var d = Vector512.Load(g + i);
                    var old = Vector512.Load(x + i);
                    if (Vector512.EqualsAll(d, Vector512<float>.Zero))
                    {
                        (decay * Vector512.Load(s + i)).Store(s + i);
                    }
                    else
                    {
                        d *= scale;
                        var square = decay * Vector512.Load(s + i) + rest * d * d;
                        square.Store(s + i);
                        old -= rate * (d / Vector512.Sqrt(square + epsilon));
                        old.Store(x + i);
                        Vector512<float>.Zero.Store(g + i);
                    }
                    old.Store(to + i);
                }
            }
        }
        RmsPropScalar(theta[i..], squares[i..], gradient[i..], local[i..], rates);
    }

    /// <summary>The scalar twin of <see cref="RmsProp"/>.</summary>
    public static void RmsPropScalar(Span<float> theta, Span<float> squares, Span<float> gradient, Span<float> local, in UpdateRates rates)
    {
        for (var i = 0; i < theta.Length; i++)
        {
            var d = gradient[i] * rates.Scale;
            var square = rates.Decay * squares[i] + rates.Rest * d * d;
            squares[i] = square;
            local[i] = theta[i] -= rates.LearningRate * (d / MathF.Sqrt(square + rates.Epsilon));
            gradient[i] = 0;
        }
    }

    /// <summary>m ← α m + (1 - α)·scale·gradient, θ ← θ - η m; gradient ← 0, local ← θ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Momentum(Span<float> theta, Span<float> momentum, Span<float> gradient, Span<float> local, in UpdateRates rates)
    {
        var i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            var (decay, rest) = (Vector512.Create(rates.Decay), Vector512.Create(rates.Rest));
            var (rate, scale) = (Vector512.Create(rates.LearningRate), Vector512.Create(rates.Scale));
            fixed (float* x = theta, m = momentum, g = gradient, to = local)
            {
                for (; i <= theta.Length - Lanes; i += Lanes)
                {
                    var moved = decay * Vector512.Load(m + i) + rest * (Vector512.Load(g + i) * scale);
                    moved.Store(m + i);
                    var changed = Vector512.Load(x + i) - rate * moved;
                    changed.Store(x + i);
                    changed.Store(to + i);
                    Vector512<float>.Zero.Store(g + i);
                }
            }
        }
        MomentumScalar(theta[i..], momentum[i..], gradient[i..], local[i..], rates);
    }

    /// <summary>The scalar twin of <see cref="Momentum"/>.</summary>
    public static void MomentumScalar(Span<float> theta, Span<float> momentum, Span<float> gradient, Span<float> local, in UpdateRates rates)
    {
        for (var i = 0; i < theta.Length; i++)
        {
            var moved = rates.Decay * momentum[i] + rates.Rest * (gradient[i] * rates.Scale);
            momentum[i] = moved;
            local[i] = theta[i] -= rates.LearningRate * moved;
            gradient[i] = 0;
        }
    }
}

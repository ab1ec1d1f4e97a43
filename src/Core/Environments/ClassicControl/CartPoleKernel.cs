using System.Numerics;

namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>One step of the cart's and pole's motion, for many carts at once and for one.</summary>
/// <remarks>
/// With c = cos θ, s = sin θ, F = ±10 N:
///   a = (F + m l θ̇² s) / M
///   θ̈ = (g s - c a) / (l (4/3 - m c²/M))
///   ẍ = a - m l θ̈ c / M
///   x += τ ẋ;  ẋ += τ ẍ;  θ += τ θ̇;  θ̇ += τ θ̈     (all with the old derivatives)
/// g = 9.8, pole mass m = 0.1, total mass M = 1.1, half pole length l = 0.5, τ = 0.02. Barto, Sutton and Anderson 1983 without friction, in
/// the form of Gymnasium's CartPole-v1. Both forms do the same operations in the same order, multiplications and additions
/// not fused, so that they agree to the bit at every vector width.
/// Sine and cosine are Taylor polynomials, up to θ¹¹ and θ¹². On |θ| ≤ 0.25 the sine leaves out less than 2.5e-18 and the cosine less
/// than 5e-20, so rounding is all their error; a pole that still stands leans at most 0.2094.
/// </remarks>
internal static class CartPoleKernel
{
    /// <summary>Up to this angle, in radians, the polynomials are exact to double precision.</summary>
    public const double MaxAngle = 0.25;

    private const double Gravity = 9.8, Push = 10, TimeStep = 0.02, HalfLength = 0.5;
    private const double PoleMass = 0.1, TotalMass = 1.1, PoleMoment = PoleMass * HalfLength;
    private const double PoleShare = PoleMass / TotalMass, MomentShare = PoleMoment / TotalMass;
    private const double S3 = -1.0 / 6, S5 = 1.0 / 120, S7 = -1.0 / 5040, S9 = 1.0 / 362880, S11 = -1.0 / 39916800;
    private const double C2 = -1.0 / 2, C4 = 1.0 / 24, C6 = -1.0 / 720, C8 = 1.0 / 40320, C10 = -1.0 / 3628800, C12 = 1.0 / 479001600;

    /// <summary>Steps one cart with action 0 or 1.</summary>
    public static void Step(ref double x, ref double speed, ref double angle, ref double spin, int action)
    {
        var force = 2 * Push * action - Push;
        var q = angle * angle;
        var sin = angle + angle * q * (S3 + q * (S5 + q * (S7 + q * (S9 + q * S11))));
        var cos = 1 + q * (C2 + q * (C4 + q * (C6 + q * (C8 + q * (C10 + q * C12)))));
        var drive = (force + PoleMoment * spin * spin * sin) / TotalMass;
        var turn = (Gravity * sin - cos * drive) / (HalfLength * (4.0 / 3 - PoleShare * cos * cos));
        var pull = drive - MomentShare * turn * cos;
        x += TimeStep * speed;
        speed += TimeStep * pull;
        angle += TimeStep * spin;
        spin += TimeStep * turn;
    }

    /// <summary>Steps all carts; every span has the same length, actions are 0 or 1.</summary>
    public static void Step(Span<double> x, Span<double> speed, Span<double> angle, Span<double> spin, ReadOnlySpan<int> actions)
    {
        var width = Vector<double>.Count;
        var i = 0;
        if (Vector.IsHardwareAccelerated)
            for (; i <= x.Length - 2 * width; i += 2 * width)
            {
                // A vector of actions widens to two vectors of forces.
                Vector.Widen(Vector.Create(actions.Slice(i, 2 * width)), out var low, out var high);
                StepVector(ref x[i], ref speed[i], ref angle[i], ref spin[i], Force(low));
                StepVector(ref x[i + width], ref speed[i + width], ref angle[i + width], ref spin[i + width], Force(high));
            }
        for (; i < x.Length; i++) Step(ref x[i], ref speed[i], ref angle[i], ref spin[i], actions[i]);
    }

    private static Vector<double> Force(Vector<long> action) => Vector.ConditionalSelect(Vector.AsVectorDouble(Vector.Equals(action, Vector<long>.Zero)), V(-Push), V(Push));

    private static void StepVector(ref double x0, ref double speed0, ref double angle0, ref double spin0, Vector<double> force)
    {
        var x = Vector.LoadUnsafe(ref x0);
        var speed = Vector.LoadUnsafe(ref speed0);
        var angle = Vector.LoadUnsafe(ref angle0);
        var spin = Vector.LoadUnsafe(ref spin0);
        var q = angle * angle;
        var sin = angle + angle * q * (V(S3) + q * (V(S5) + q * (V(S7) + q * (V(S9) + q * V(S11)))));
        var cos = V(1) + q * (V(C2) + q * (V(C4) + q * (V(C6) + q * (V(C8) + q * (V(C10) + q * V(C12))))));
        var drive = (force + V(PoleMoment) * spin * spin * sin) / V(TotalMass);
        var turn = (V(Gravity) * sin - cos * drive) / (V(HalfLength) * (V(4.0 / 3) - V(PoleShare) * cos * cos));
        var pull = drive - V(MomentShare) * turn * cos;
        (x + V(TimeStep) * speed).StoreUnsafe(ref x0);
        (speed + V(TimeStep) * pull).StoreUnsafe(ref speed0);
        (angle + V(TimeStep) * spin).StoreUnsafe(ref angle0);
        (spin + V(TimeStep) * turn).StoreUnsafe(ref spin0);
    }

    private static Vector<double> V(double value) => new(value);
}

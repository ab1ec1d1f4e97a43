namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>The motion of two rods under gravity and a torque between them.</summary>
/// <remarks>
/// With every length, mass and moment of inertia 1, centres of mass in the middle, g = 9.8:
///   d1 = 3.5 + cos θ2;  d2 = 1.25 + 0.5 cos θ2
///   φ2 = 0.5 g sin(θ1 + θ2)
///   φ1 = -0.5 θ̇2² sin θ2 - θ̇2 θ̇1 sin θ2 + 1.5 g sin θ1 + φ2
///   θ̈2 = (torque + d2/d1 φ1 - 0.5 θ̇1² sin θ2 - φ2) / (1.25 - d2²/d1)
///   θ̈1 = -(d2 θ̈2 + φ1) / d1
/// Sutton and Barto, Reinforcement Learning, section 11.3 of the first edition (the "book" variant of Gymnasium's Acrobot-v1), which
/// writes cos(x - π/2) for sin x. One step is one of Runge and Kutta's fourth order, 0.2 s long, under constant torque.
/// </remarks>
internal static class AcrobotMotion
{
    private const double Gravity = 9.8, TimeStep = 0.2;

    public static void Step(ref double angle1, ref double angle2, ref double spin1, ref double spin2, double torque)
    {
        var (accelerate1a, accelerate2a) = Accelerations(angle1, angle2, spin1, spin2, torque);
        var (spin1b, spin2b) = (spin1 + TimeStep / 2 * accelerate1a, spin2 + TimeStep / 2 * accelerate2a);
        var (accelerate1b, accelerate2b) = Accelerations(
            angle1 + TimeStep / 2 * spin1, angle2 + TimeStep / 2 * spin2, spin1b, spin2b, torque);
        var (spin1c, spin2c) = (spin1 + TimeStep / 2 * accelerate1b, spin2 + TimeStep / 2 * accelerate2b);
        var (accelerate1c, accelerate2c) = Accelerations(
            angle1 + TimeStep / 2 * spin1b, angle2 + TimeStep / 2 * spin2b, spin1c, spin2c, torque);
        var (spin1d, spin2d) = (spin1 + TimeStep * accelerate1c, spin2 + TimeStep * accelerate2c);
        var (accelerate1d, accelerate2d) = Accelerations(
            angle1 + TimeStep * spin1c, angle2 + TimeStep * spin2c, spin1d, spin2d, torque);
        angle1 += TimeStep / 6 * (spin1 + 2 * spin1b + 2 * spin1c + spin1d);
        angle2 += TimeStep / 6 * (spin2 + 2 * spin2b + 2 * spin2c + spin2d);
        spin1 += TimeStep / 6 * (accelerate1a + 2 * accelerate1b + 2 * accelerate1c + accelerate1d);
        spin2 += TimeStep / 6 * (accelerate2a + 2 * accelerate2b + 2 * accelerate2c + accelerate2d);
    }

    private static (double First, double Second) Accelerations(double angle1, double angle2, double spin1, double spin2, double torque)
    {
        var (sin, cos) = Math.SinCos(angle2);
        var d1 = 3.5 + cos;
        var d2 = 1.25 + 0.5 * cos;
        var phi2 = 0.5 * Gravity * Math.Sin(angle1 + angle2);
        var phi1 = -0.5 * spin2 * spin2 * sin - spin2 * spin1 * sin + 1.5 * Gravity * Math.Sin(angle1) + phi2;
        var second = (torque + d2 / d1 * phi1 - 0.5 * spin1 * spin1 * sin - phi2) / (1.25 - d2 * d2 / d1);
        return (-(d2 * second + phi1) / d1, second);
    }
}

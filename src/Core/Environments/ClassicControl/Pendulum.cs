namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>Pendulum-v1: swing a rod up with a weak motor and hold it there.</summary>
/// <remarks>
/// The action is a torque u, clamped to [-2, 2] N·m: too little to lift the rod (1 m, 1 kg) in one go. With θ = 0 upright, θ growing
/// counterclockwise, g = 10 and dt = 0.05 s:
///   reward = -(w(θ)² + 0.1 θ̇² + 0.001 u²)     (before the move; w wraps into [-π, π))
///   θ̇ += (3g/2 sin θ + 3u) dt, clamped to ±8 rad/s;  θ += θ̇ dt
/// θ itself is never wrapped. No episode terminates; each is truncated after 200 steps. θ starts uniform in [-π, π), θ̇ in [-1, 1).
/// Observation: Float32[3], cos θ, sin θ, θ̇ (rad/s). Rules after Gymnasium's Pendulum-v1.
/// </remarks>
public struct Pendulum : IControlTask<Pendulum, float>
{
    /// <summary>The strongest torque, in N·m.</summary>
    public const float MaxTorque = 2;

    /// <summary>The fastest turn, in rad/s.</summary>
    public const double MaxSpin = 8;

    private const double Gravity = 10, TimeStep = 0.05;

    private double _angle, _spin;

    public static string Name => "pendulum";

    public static string GymnasiumName => "Pendulum-v1";

    public static string Description =>
        "Swing a pendulum up and hold it (Gymnasium Pendulum-v1); continuous, always 200 steps, best return near 0.";

    public static int Limit => 200;

    public static int Observations => 3;

    public static ActionSpec Action { get; } = new ContinuousActionSpec([-MaxTorque], [MaxTorque]);

    public static int StateSize => 2;

    public static double Tolerance => 1e-12;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws =>
        (_angle, _spin) = (Math.PI * (2 * draws.Double() - 1), 2 * draws.Double() - 1);

    public Outcome Step(float action)
    {
        double torque = Math.Clamp(action, -MaxTorque, MaxTorque);
        var lean = Wrapped(_angle);
        var cost = lean * lean + 0.1 * _spin * _spin + 0.001 * torque * torque;
        _spin = Math.Clamp(_spin + (1.5 * Gravity * Math.Sin(_angle) + 3 * torque) * TimeStep, -MaxSpin, MaxSpin);
        _angle += _spin * TimeStep;
        return new Outcome(-cost);
    }

    public readonly void Observe(Span<float> observation)
    {
        var (sin, cos) = Math.SinCos(_angle);
        (observation[0], observation[1], observation[2]) = ((float)cos, (float)sin, (float)_spin);
    }

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(RodPicture.Columns(1), RodPicture.Rows(1));
        RodPicture.Draw(canvas, 1, Math.PI + _angle, 214);
        RodPicture.Joint(canvas, 1);
    }

    public readonly void Save(Span<double> state) => (state[0], state[1]) = (_angle, _spin);

    public void Load(ReadOnlySpan<double> state)
    {
        if (!double.IsFinite(state[0]) || !(Math.Abs(state[1]) <= MaxSpin))
            throw new ArgumentException($"the angle must be finite and the pendulum turn at most {MaxSpin} rad/s", nameof(state));
        (_angle, _spin) = (state[0], state[1]);
    }

    /// <summary>The same direction in [-π, π).</summary>
    private static double Wrapped(double angle)
    {
        var turned = (angle + Math.PI) % (2 * Math.PI);
        return (turned < 0 ? turned + 2 * Math.PI : turned) - Math.PI;
    }
}

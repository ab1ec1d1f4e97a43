namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>Acrobot-v1: a rod hangs from another; swing the free end up by a motor at the joint between them.</summary>
/// <remarks>
/// Actions 0, 1, 2 are a torque of -1, 0, +1 N·m for 0.2 s (<see cref="AcrobotMotion"/>). θ1 is the upper rod's angle from hanging
/// straight down, θ2 the lower rod's angle from the upper's line; both are wrapped into [-π, π], their speeds clamped to ±4π and
/// ±9π rad/s. The episode ends when the free end is more than 1 m above the upper joint, -cos θ1 - cos(θ1 + θ2) > 1, and is truncated
/// after 500 steps. Every step costs 1, only the one that ends it is free. The four numbers of the state start uniform in
/// [-0.1, 0.1), rounded to float32. Observation: Float32[6], cos θ1, sin θ1, cos θ2, sin θ2, θ̇1, θ̇2. Rules after Gymnasium's Acrobot-v1
/// (Sutton 1996).
/// </remarks>
public struct Acrobot : IControlTask<Acrobot, int>
{
    /// <summary>The fastest turns of the upper and the lower rod, in rad/s.</summary>
    public const double MaxSpin1 = 4 * Math.PI, MaxSpin2 = 9 * Math.PI;

    private double _angle1, _angle2, _spin1, _spin2;

    public static string Name => "acrobot";

    public static string GymnasiumName => "Acrobot-v1";

    public static string Description =>
        "Swing a two-rod pendulum up by its elbow (Gymnasium Acrobot-v1); at most 500 steps, solved at return -100.";

    public static int Limit => 500;

    public static int Observations => 6;

    public static ActionSpec Action { get; } = new DiscreteActionSpec(3);

    public static int StateSize => 4;

    public static double Tolerance => 1e-12;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws =>
        (_angle1, _angle2, _spin1, _spin2) = (Start(ref draws), Start(ref draws), Start(ref draws), Start(ref draws));

    public Outcome Step(int action)
    {
        AcrobotMotion.Step(ref _angle1, ref _angle2, ref _spin1, ref _spin2, action - 1);
        (_angle1, _angle2) = (Wrapped(_angle1), Wrapped(_angle2));
        (_spin1, _spin2) = (Math.Clamp(_spin1, -MaxSpin1, MaxSpin1), Math.Clamp(_spin2, -MaxSpin2, MaxSpin2));
        var terminated = -Math.Cos(_angle1) - Math.Cos(_angle2 + _angle1) > 1;
        return new Outcome(terminated ? 0 : -1, terminated);
    }

    public readonly void Observe(Span<float> observation)
    {
        var (sin1, cos1) = Math.SinCos(_angle1);
        var (sin2, cos2) = Math.SinCos(_angle2);
        (observation[0], observation[1], observation[2], observation[3]) = ((float)cos1, (float)sin1, (float)cos2, (float)sin2);
        (observation[4], observation[5]) = ((float)_spin1, (float)_spin2);
    }

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(RodPicture.Columns(2), RodPicture.Rows(2));
        RodPicture.Level(canvas, 2, 1);
        var elbow = RodPicture.Draw(canvas, 2, _angle1, 39);
        RodPicture.Draw(canvas, 2, _angle1 + _angle2, 214, elbow);
        RodPicture.Joint(canvas, 2);
        RodPicture.Joint(canvas, 2, elbow);
    }

    public readonly void Save(Span<double> state) => (state[0], state[1], state[2], state[3]) = (_angle1, _angle2, _spin1, _spin2);

    public void Load(ReadOnlySpan<double> state)
    {
        if (!(Math.Abs(state[0]) <= Math.PI && Math.Abs(state[1]) <= Math.PI))
            throw new ArgumentException("both angles must be wrapped into [-π, π]", nameof(state));
        if (!(Math.Abs(state[2]) <= MaxSpin1 && Math.Abs(state[3]) <= MaxSpin2))
            throw new ArgumentException("the rods turn at most 4π and 9π rad/s", nameof(state));
        (_angle1, _angle2, _spin1, _spin2) = (state[0], state[1], state[2], state[3]);
    }

    private static double Start<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => (float)(-0.1 + 0.2 * draws.Double());

    private static double Wrapped(double angle)
    {
        while (angle > Math.PI) angle -= 2 * Math.PI;
        while (angle < -Math.PI) angle += 2 * Math.PI;
        return angle;
    }
}

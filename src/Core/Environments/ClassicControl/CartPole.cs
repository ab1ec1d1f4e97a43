namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>CartPole-v1: push a cart left or right so that the pole on it stays upright.</summary>
/// <remarks>
/// Action 0 pushes with -10 N, action 1 with +10 N, for 0.02 s of explicit Euler (<see cref="CartPoleKernel"/>). The episode ends when the
/// cart is more than 2.4 m from the centre or the pole leans more than 12°, and is truncated after 500 steps. Every step, the last
/// one too, gives reward 1. The four numbers of the state start uniform in [-0.05, 0.05). Observation: Float32[4], the state: position
/// (m), speed (m/s), angle (rad), angular speed (rad/s). Rules after Gymnasium's CartPole-v1 (Barto, Sutton and Anderson 1983).
/// </remarks>
public struct CartPole : IControlTask<CartPole, int>
{
    /// <summary>Where the cart is lost, in metres.</summary>
    public const double MaxPosition = 2.4;

    /// <summary>Where the pole is lost, in radians: 12°.</summary>
    public const double MaxAngle = 12 * 2 * Math.PI / 360;

    /// <summary>Steps after which an episode is truncated.</summary>
    public const int StepLimit = 500;

    private double _x, _speed, _angle, _spin;

    public static string Name => "cartpole";

    public static string GymnasiumName => "CartPole-v1";

    public static string Description => "Balance a pole on a cart (Gymnasium CartPole-v1); at most 500 steps, best return 500.";

    public static int Limit => StepLimit;

    public static int Observations => 4;

    public static ActionSpec Action { get; } = new DiscreteActionSpec(2);

    public static int StateSize => 4;

    public static double Tolerance => 1e-12;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws =>
        (_x, _speed, _angle, _spin) = (Start(ref draws), Start(ref draws), Start(ref draws), Start(ref draws));

    public Outcome Step(int action)
    {
        CartPoleKernel.Step(ref _x, ref _speed, ref _angle, ref _spin, action);
        return new Outcome(1, Terminated: IsLost(_x, _angle));
    }

    public readonly void Observe(Span<float> observation) =>
        (observation[0], observation[1], observation[2], observation[3]) = ((float)_x, (float)_speed, (float)_angle, (float)_spin);

    public readonly void Render(TextCanvas canvas) => CartPolePicture.Draw(_x, _angle, canvas);

    public readonly void Save(Span<double> state) => (state[0], state[1], state[2], state[3]) = (_x, _speed, _angle, _spin);

    public void Load(ReadOnlySpan<double> state)
    {
        if (!(Math.Abs(state[2]) <= MaxAngle))
            throw new ArgumentException($"a pole that leans {state[2]} rad has fallen, it may lean {MaxAngle} at most", nameof(state));
        (_x, _speed, _angle, _spin) = (state[0], state[1], state[2], state[3]);
    }

    /// <summary>One number of a first state.</summary>
    internal static double Start<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => -0.05 + 0.1 * draws.Double();

    internal static bool IsLost(double x, double angle) => Math.Abs(x) > MaxPosition | Math.Abs(angle) > MaxAngle;
}

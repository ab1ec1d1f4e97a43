namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>MountainCarContinuous-v0: rock a weak car out of the valley, and burn little fuel at it.</summary>
/// <remarks>
/// The action a, clamped to [-1, 1], pushes by 0.0015 a step (<see cref="Valley"/>). The episode ends when the car is at 0.45 or further
/// right and does not roll back, and is truncated after 999 steps. A step's reward is -0.1 a², of a as it was given, not clamped; the
/// step that ends the episode adds 100. The state is rounded to float32 after every step, as Gymnasium stores it, but the goal is tested
/// before that. The car starts at rest, uniform in [-0.6, -0.4), not rounded. Observation: Float32[2], position and speed (per
/// step). Rules after Gymnasium's MountainCarContinuous-v0.
/// </remarks>
public struct MountainCarContinuous : IControlTask<MountainCarContinuous, float>
{
    /// <summary>Where the flag stands.</summary>
    public const double Goal = 0.45;

    private double _position, _speed;

    public static string Name => "mountaincarcontinuous";

    public static string GymnasiumName => "MountainCarContinuous-v0";

    public static string Description =>
        "Rock a weak car out of a valley (Gymnasium MountainCarContinuous-v0); continuous, at most 999 steps, solved at return 90.";

    public static int Limit => 999;

    public static int Observations => 2;

    public static ActionSpec Action { get; } = new ContinuousActionSpec([-1f], [1f]);

    public static int StateSize => 2;

    /// <remarks>The rounding to float32 may go the other way after the last bit of a double.</remarks>
    public static double Tolerance => 1e-7;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => (_position, _speed) = (Valley.Start(ref draws), 0);

    public Outcome Step(float action)
    {
        Valley.Roll(ref _position, ref _speed, Math.Clamp(action, -1, 1) * 0.0015);
        var terminated = _position >= Goal & _speed >= 0;
        (_position, _speed) = ((float)_position, (float)_speed);
        return new Outcome((terminated ? 100 : 0) - 0.1 * ((double)action * action), terminated);
    }

    public readonly void Observe(Span<float> observation) => (observation[0], observation[1]) = ((float)_position, (float)_speed);

    public readonly void Render(TextCanvas canvas) => Valley.Draw(_position, Goal, canvas);

    public readonly void Save(Span<double> state) => (state[0], state[1]) = (_position, _speed);

    public void Load(ReadOnlySpan<double> state)
    {
        // The bounds are rounded like the state: the car at the left wall is at -1.2000000476837158.
        if (state[0] is not (>= (float)Valley.Left and <= (float)Valley.Right) || !(Math.Abs(state[1]) <= (float)Valley.MaxSpeed))
            throw new ArgumentException(Valley.NoCar, nameof(state));
        (_position, _speed) = (state[0], state[1]);
    }
}

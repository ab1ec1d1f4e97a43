namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>MountainCar-v0: a car too weak for the hill must rock itself out of the valley.</summary>
/// <remarks>
/// Actions 0, 1, 2 push left, not at all and right, by 0.001 a step (<see cref="Valley"/>). The episode ends when the car is at 0.5 or
/// further right and does not roll back, and is truncated after 200 steps. Every step, the last one too, costs 1. The car starts at rest,
/// uniform in [-0.6, -0.4). Observation: Float32[2], position and speed (per step). Rules after Gymnasium's MountainCar-v0 (Moore 1990).
/// </remarks>
public struct MountainCar : IControlTask<MountainCar, int>
{
    /// <summary>Where the flag stands.</summary>
    public const double Goal = 0.5;

    private double _position, _speed;

    public static string Name => "mountaincar";

    public static string GymnasiumName => "MountainCar-v0";

    public static string Description =>
        "Rock a weak car out of a valley (Gymnasium MountainCar-v0); at most 200 steps, solved at return -110.";

    public static int Limit => 200;

    public static int Observations => 2;

    public static ActionSpec Action { get; } = new DiscreteActionSpec(3);

    public static int StateSize => 2;

    public static double Tolerance => 1e-12;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => (_position, _speed) = (Valley.Start(ref draws), 0);

    public Outcome Step(int action)
    {
        Valley.Roll(ref _position, ref _speed, (action - 1) * 0.001);
        return new Outcome(-1, Terminated: _position >= Goal & _speed >= 0);
    }

    public readonly void Observe(Span<float> observation) => (observation[0], observation[1]) = ((float)_position, (float)_speed);

    public readonly void Render(TextCanvas canvas) => Valley.Draw(_position, Goal, canvas);

    public readonly void Save(Span<double> state) => (state[0], state[1]) = (_position, _speed);

    public void Load(ReadOnlySpan<double> state)
    {
        if (state[0] is not (>= Valley.Left and <= Valley.Right) || !(Math.Abs(state[1]) <= Valley.MaxSpeed))
            throw new ArgumentException(Valley.NoCar, nameof(state));
        (_position, _speed) = (state[0], state[1]);
    }
}

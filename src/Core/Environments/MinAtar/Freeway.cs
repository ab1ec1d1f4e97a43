using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>MinAtar's Freeway: cross the road, one point a crossing.</summary>
/// <remarks>
/// The chicken goes up and down in column 4, at most one row every third step. Rows 1 to 8 have one car each, which drives left or
/// right around the board, a column every second to sixth step. A car that meets the chicken sends it back to row 9, where it
/// started. Arriving in row 0 gives a point, sends it back too, and gives every car a new direction and speed. A game ends after
/// 2501 steps. The draws of a reset and of an arrival: eight integers for the cars' speeds, then eight doubles for their directions.
/// Channels: 0 chicken, 1 car, 2 to 6 trail (the column behind a car) of a car of speed 1 to 5. There is no ramping.
/// Written from tests/Oracles/minatar/SPEC.md, section 3.
/// </remarks>
public struct Freeway : IMinAtarGame<Freeway>
{
    private const int Cars = 8, FirstRow = 1, ChickenX = 4, StartRow = 9, MoveInterval = 3, LastStep = 2500;
    private const int ChannelCount = 7, ChickenChannel = 0, CarChannel = 1;

    private InlineArray8<Car> _cars; // Car i drives in row i + 1.
    private int _chickenY, _moveTimer, _stepsLeft;

    public static string Name => "freeway";

    public static string Description => "MinAtar Freeway: cross the road without being hit, one point a crossing.";

    public static ImmutableArray<ChannelLook> Channels { get; } =
    [
        new("chicken", 'C', 226), new("car", '#', 196),
        new("trail of speed 1", '1', 52), new("trail of speed 2", '2', 58), new("trail of speed 3", '3', 22),
        new("trail of speed 4", '4', 24), new("trail of speed 5", '5', 54),
    ];

    public static ImmutableArray<int> MinimalActions { get; } = [0, 2, 4];

    public static Freeway Create(bool ramping) => default;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _cars = default;
        RandomizeCars(ref draws);
        (_chickenY, _moveTimer, _stepsLeft) = (StartRow, MoveInterval, LastStep);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        if (action is 2 or 4 && _moveTimer == 0)
        {
            _moveTimer = MoveInterval;
            _chickenY = action == 2 ? Math.Max(_chickenY - 1, 0) : Math.Min(_chickenY + 1, StartRow);
        }
        var arrived = _chickenY == 0;
        if (arrived)
        {
            RandomizeCars(ref draws);
            _chickenY = StartRow;
        }
        // Only the car in its own row can hit the chicken, before or after the car has moved.
        var facing = _chickenY - FirstRow;
        var hit = facing < Cars && _cars[facing].X == ChickenX;
        MoveCars();
        if (hit || (facing < Cars && _cars[facing].X == ChickenX)) _chickenY = StartRow;

        if (_moveTimer > 0) _moveTimer--;
        return new Outcome(arrived ? 1 : 0, Terminated: --_stepsLeft < 0);
    }

    public readonly void Observe(Span<byte> observation)
    {
        observation = observation[..88];
        observation.Clear();
        Board.Set(observation, ChannelCount, ChickenX, _chickenY, ChickenChannel);
        for (var i = 0; i < Cars; i++)
        {
            var car = _cars[i];
            Board.Set(observation, ChannelCount, car.X, i + FirstRow, CarChannel);
            Board.Set(observation, ChannelCount, Wrapped(car.X - car.Direction), i + FirstRow, CarChannel + car.Speed);
        }
    }

    private void RandomizeCars<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        for (var i = 0; i < Cars; i++) _cars[i].Speed = _cars[i].Timer = (sbyte)(1 + draws.Integer(5));
        for (var i = 0; i < Cars; i++) _cars[i].Direction = (sbyte)(draws.Double() > 0.5 ? 1 : -1);
    }

    private void MoveCars()
    {
        for (var i = 0; i < Cars; i++)
        {
            ref var car = ref _cars[i];
            if (--car.Timer >= 0) continue;
            car.Timer = car.Speed;
            car.X = (sbyte)Wrapped(car.X + car.Direction);
        }
    }

    private static int Wrapped(int x) => x < 0 ? Board.Size - 1 : x >= Board.Size ? 0 : x;

    private struct Car
    {
        /// <summary>The speed is its trail's; a car moves every (Speed + 1)th step.</summary>
        public sbyte X, Direction, Speed, Timer;
    }
}

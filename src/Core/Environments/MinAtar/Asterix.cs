using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>MinAtar's Asterix: gather gold, one point each, and avoid the enemies.</summary>
/// <remarks>
/// The player walks in rows 1 to 8. Each of these rows has room for one entity, gold with a probability of 1/3, else an enemy, which
/// comes in at the left or right edge, crosses the board a column at a time and leaves. Every few steps one comes into a random free
/// row, and every few steps all of them move. Touching gold takes it, touching an enemy ends the game. With ramping, entities come
/// and move more often after every 102 steps, until both happen at every step.
/// The draws of a spawn: a double for the direction, a double for the kind, and, where a row is free, an integer for the row.
/// Channels: 0 player, 1 enemy, 2 trail (the column behind an entity), 3 gold. Written from tests/Oracles/minatar/SPEC.md, section 2.
/// </remarks>
public struct Asterix : IMinAtarGame<Asterix>
{
    private const int Rows = 8, FirstRow = 1, LastRow = FirstRow + Rows - 1;
    private const int FirstSpawnSpeed = 10, FirstMoveSpeed = 5, RampInterval = 100;
    private const int PlayerChannel = 0, EnemyChannel = 1, TrailChannel = 2, GoldChannel = 3;

    private InlineArray8<Entity> _entities; // Slot i is row i + 1.
    private uint _filled; // A bit a slot.
    private int _playerX, _playerY;
    private int _spawnSpeed, _spawnTimer, _moveSpeed, _moveTimer, _rampTimer, _rampIndex;
    private bool _ramping;

    public static string Name => "asterix";

    public static string Description => "MinAtar Asterix: gather gold, one point each, and avoid the enemies.";

    public static ImmutableArray<ChannelLook> Channels { get; } =
        [new("player", 'A', 51), new("enemy", 'E', 196), new("trail", '.', 238), new("gold", '$', 220)];

    public static ImmutableArray<int> MinimalActions { get; } = [0, 1, 2, 3, 4];

    public static Asterix Create(bool ramping) => new() { _ramping = ramping };

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        (_playerX, _playerY) = (5, 5);
        _filled = 0;
        _spawnSpeed = _spawnTimer = FirstSpawnSpeed;
        _moveSpeed = _moveTimer = FirstMoveSpeed;
        (_rampTimer, _rampIndex) = (RampInterval, 0);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        if (_spawnTimer == 0)
        {
            Spawn(ref draws);
            _spawnTimer = _spawnSpeed;
        }
        _playerX = Math.Clamp(_playerX + (action == 3 ? 1 : 0) - (action == 1 ? 1 : 0), 0, Board.Size - 1);
        _playerY = Math.Clamp(_playerY + (action == 4 ? 1 : 0) - (action == 2 ? 1 : 0), FirstRow, LastRow);

        var (reward, over) = (0, false);
        Touch(ref reward, ref over);
        if (_moveTimer == 0)
        {
            _moveTimer = _moveSpeed;
            MoveEntities();
            Touch(ref reward, ref over);
        }
        _spawnTimer--;
        _moveTimer--;
        if (_ramping) Ramp();
        return new Outcome(reward, Terminated: over);
    }

    public readonly void Observe(Span<byte> observation)
    {
        // Four channels make a nibble a cell and five bytes a row.
        observation = observation[..50];
        observation.Clear();
        for (var left = _filled; left != 0; left &= left - 1)
        {
            var slot = BitOperations.TrailingZeroCount(left);
            var entity = _entities[slot];
            Board.Set(observation, 4, entity.X, slot + FirstRow, entity.IsGold ? GoldChannel : EnemyChannel);
            var behind = entity.X - entity.Direction;
            if ((uint)behind < Board.Size) Board.Set(observation, 4, behind, slot + FirstRow, TrailChannel);
        }
        Board.Set(observation, 4, _playerX, _playerY, PlayerChannel);
    }

    private void Spawn<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        var movesRight = draws.Double() < 0.5;
        var isGold = draws.Double() < 1.0 / 3;
        var free = ~_filled & ((1u << Rows) - 1);
        if (free == 0) return;
        for (var skipped = draws.Integer(BitOperations.PopCount(free)); skipped > 0; skipped--) free &= free - 1;
        var slot = BitOperations.TrailingZeroCount(free);
        _filled |= 1u << slot;
        _entities[slot] = new Entity
        {
            X = (sbyte)(movesRight ? 0 : Board.Size - 1), Direction = (sbyte)(movesRight ? 1 : -1), IsGold = isGold,
        };
    }

    /// <summary>What happens between the player and the one entity that may be in the same row.</summary>
    private void Touch(ref int reward, ref bool over)
    {
        var slot = _playerY - FirstRow;
        ref readonly var entity = ref _entities[slot];
        if ((_filled >> slot & 1) == 0 || entity.X != _playerX) return;
        if (entity.IsGold)
        {
            _filled &= ~(1u << slot);
            reward++;
        }
        else over = true;
    }

    private void MoveEntities()
    {
        for (var left = _filled; left != 0; left &= left - 1)
        {
            var slot = BitOperations.TrailingZeroCount(left);
            ref var entity = ref _entities[slot];
            entity.X += entity.Direction;
            if ((uint)entity.X >= Board.Size) _filled &= ~(1u << slot);
        }
    }

    private void Ramp()
    {
        if (_spawnSpeed <= 1 && _moveSpeed <= 1) return;
        if (_rampTimer >= 0)
        {
            _rampTimer--;
            return;
        }
        if (_moveSpeed > 1 && (_rampIndex & 1) != 0) _moveSpeed--;
        if (_spawnSpeed > 1) _spawnSpeed--;
        _rampIndex++;
        _rampTimer = RampInterval;
    }

    private struct Entity
    {
        public sbyte X, Direction;
        public bool IsGold;
    }
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>MinAtar's Space Invaders: shoot the aliens, one point each.</summary>
/// <remarks>
/// The cannon moves in row 9 and fires at most every fifth step; its bullets fly up, the aliens' down, a row a step. Aliens start as
/// a block of four rows of six. They march sideways together, the faster the fewer are left; where one stands at the edge that they
/// face, all turn round and go down a row instead, from row 9 to row 0. Every tenth step the alien lowest in the column nearest to
/// the cannon (the left one of two) fires. The game ends when a bullet or an alien reaches the cannon, or when the aliens go down
/// while one is in row 9. After the last alien a new block appears and, with ramping, marches faster. There are no draws.
/// Channels: 0 cannon, 1 alien, 2 alien moving left, 3 alien moving right, 4 friendly bullet, 5 enemy bullet.
/// Written from tests/Oracles/minatar/SPEC.md, section 5.
/// </remarks>
public struct SpaceInvaders : IMinAtarGame<SpaceInvaders>
{
    private const int CannonRow = 9, ShotInterval = 5, AlienShotInterval = 10, FirstMoveInterval = 12, LastMoveInterval = 6;

    // What a row's bits, six apart, are multiplied with: a factor for every channel that they go to.
    private const ulong AlienLeft = 0b00_0110, AlienRight = 0b00_1010, FriendlyBullet = 0b01_0000, EnemyBullet = 0b10_0000;

    private static readonly UInt128 Wave = new UInt128(0, 0b0011111100) * (1 | 1UL << 10 | 1UL << 20 | 1UL << 30);

    /// <summary>The five bits of an index, six apart.</summary>
    private static readonly ImmutableArray<uint> Spreads =
        [.. Enumerable.Range(0, 32).Select(five => (uint)Enumerable.Range(0, 5).Sum(bit => (five >> bit & 1) << 6 * bit))];

    private UInt128 _aliens, _friendly, _enemy;
    private int _cannonX, _moveInterval, _moveTimer, _alienShotTimer, _shotTimer;
    private bool _facesRight, _ramping;

    public static string Name => "space_invaders";

    public static string Description => "MinAtar Space Invaders: shoot the aliens before they land, one point each.";

    public static ImmutableArray<ChannelLook> Channels { get; } =
    [
        new("cannon", '^', 51), new("alien", 'W', 46), new("alien moving left", '<', 46), new("alien moving right", '>', 46),
        new("friendly bullet", '|', 231), new("enemy bullet", '!', 196),
    ];

    public static ImmutableArray<int> MinimalActions { get; } = [0, 1, 3, 5];

    public static SpaceInvaders Create(bool ramping) => new() { _ramping = ramping };

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _cannonX = 5;
        (_aliens, _friendly, _enemy) = (Wave, UInt128.Zero, UInt128.Zero);
        _facesRight = false;
        _moveInterval = _moveTimer = FirstMoveInterval;
        (_alienShotTimer, _shotTimer) = (AlienShotInterval, 0);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        if (action == 5 && _shotTimer == 0)
        {
            _friendly |= BitBoard.Cell(_cannonX, CannonRow);
            _shotTimer = ShotInterval;
        }
        _cannonX = Math.Clamp(_cannonX + (action == 3 ? 1 : 0) - (action == 1 ? 1 : 0), 0, Board.Size - 1);

        _friendly = BitBoard.Up(_friendly);
        _enemy = BitBoard.Down(_enemy);
        var over = BitBoard.Has(_enemy | _aliens, _cannonX, CannonRow);
        if (_moveTimer == 0)
        {
            over |= MoveAliens();
            over |= BitBoard.Has(_aliens, _cannonX, CannonRow);
        }
        if (_alienShotTimer == 0)
        {
            _alienShotTimer = AlienShotInterval;
            FireAtCannon();
        }
        var hit = _aliens & _friendly;
        _aliens ^= hit;
        _friendly ^= hit;

        if (_shotTimer > 0) _shotTimer--;
        _moveTimer--;
        _alienShotTimer--;
        if (_aliens == UInt128.Zero)
        {
            if (_ramping && _moveInterval > LastMoveInterval) _moveInterval--;
            _aliens = Wave;
        }
        return new Outcome(Count(hit), Terminated: over);
    }

    public readonly void Observe(Span<byte> observation)
    {
        // Six channels make 60 bits a row, 15 bytes two rows. Two words hold these, with byte 7 in both.
        observation = observation[..75];
        var (aliens, friendly, enemy) = (_aliens, _friendly, _enemy);
        var alienChannels = _facesRight ? AlienRight : AlienLeft;
        for (var start = 0; start < 75; start += 15)
        {
            var even = Spread((uint)aliens) * alienChannels | Spread((uint)friendly) * FriendlyBullet | Spread((uint)enemy) * EnemyBullet;
            (aliens, friendly, enemy) = (BitBoard.Up(aliens), BitBoard.Up(friendly), BitBoard.Up(enemy));
            var odd = Spread((uint)aliens) * alienChannels | Spread((uint)friendly) * FriendlyBullet | Spread((uint)enemy) * EnemyBullet;
            (aliens, friendly, enemy) = (BitBoard.Up(aliens), BitBoard.Up(friendly), BitBoard.Up(enemy));
            BinaryPrimitives.WriteUInt64LittleEndian(observation[start..], even | odd << 60);
            BinaryPrimitives.WriteUInt64LittleEndian(observation[(start + 7)..], even >> 56 | odd << 4);
        }
        Board.Set(observation, 6, _cannonX, CannonRow, 0);
    }

    /// <summary>The lowest ten bits, six apart.</summary>
    private static ulong Spread(uint row) => Spreads[(int)(row & 31)] | (ulong)Spreads[(int)(row >> 5 & 31)] << 30;

    private static int Count(UInt128 cells) => BitOperations.PopCount((ulong)cells) + BitOperations.PopCount((ulong)(cells >> 64));

    /// <summary>Sideways, or round and down; true where they have landed.</summary>
    private bool MoveAliens()
    {
        _moveTimer = Math.Min(Count(_aliens), _moveInterval);
        if ((_aliens & BitBoard.Column(_facesRight ? Board.Size - 1 : 0)) == UInt128.Zero)
        {
            _aliens = _facesRight ? BitBoard.Right(_aliens) : BitBoard.Left(_aliens);
            return false;
        }
        _facesRight = !_facesRight;
        var bottom = _aliens >> CannonRow * Board.Size;
        _aliens = BitBoard.Down(_aliens) | bottom;
        return bottom != UInt128.Zero;
    }

    /// <summary>The alien lowest in the column nearest to the cannon fires; there always is one.</summary>
    private void FireAtCannon()
    {
        var columns = BitBoard.Columns(_aliens);
        // The nearest to the left, the cannon's own column included, and to the right of it; far away where there is none.
        var toLeft = columns & ((2u << _cannonX) - 1);
        var toRight = columns & ~((2u << _cannonX) - 1);
        var left = toLeft == 0 ? -Board.Size : BitOperations.Log2(toLeft);
        var right = toRight == 0 ? 2 * Board.Size : BitOperations.TrailingZeroCount(toRight);
        var column = _cannonX - left <= right - _cannonX ? left : right;
        _enemy |= UInt128.One << (int)UInt128.Log2(_aliens & BitBoard.Column(column));
    }
}

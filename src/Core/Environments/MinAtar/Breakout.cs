using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>MinAtar's Breakout: keep the ball in play, one point a brick.</summary>
/// <remarks>
/// The paddle is in row 9, three rows of ten bricks are in rows 1 to 3. The ball starts in row 3 at the left or right edge and moves one
/// cell diagonally a step, after the paddle has moved. Side walls and ceiling reflect it. It breaks the brick that it would enter and
/// turns back, but right after a break it flies through bricks until a step touches none. At row 9 it bounces off the paddle: straight
/// on if the paddle is where the ball came down from, back the way it came if the paddle is where it would land; else the game is
/// over. The wall is built anew when the ball comes down to row 9 and no brick is left. The only draw is the starting side, at the reset.
/// Channels: 0 paddle, 1 ball, 2 trail (where the ball was), 3 brick. Written from tests/Oracles/minatar/SPEC.md, section 1.
/// </remarks>
public struct Breakout : IMinAtarGame<Breakout>
{
    // Directions are two bits: bit 0 xor bit 1 = moves right, bit 1 = moves down (0 up-left, 1 up-right, 2 down-right, 3 down-left).
    private const int FlipHorizontal = 1, FlipVertical = 3, Reverse = 2;
    private const int FirstBrickRow = 1, BrickRows = 3, PaddleRow = 9;

    // A bit a brick, at the place that it has in the observation from byte 5 on: bit 3 of every nibble, row by row.
    private const ulong FullLow = 0x8888_8888_8888_8888, FullHigh = 0x0088_8888_8888_8888;

    private ulong _bricksLow, _bricksHigh;
    private int _paddleX, _ballX, _ballY, _direction, _trailX, _trailY;
    private bool _strike;

    public static string Name => "breakout";

    public static string Description => "MinAtar Breakout: bounce the ball off the paddle to break bricks, one point each.";

    public static ImmutableArray<ChannelLook> Channels { get; } =
        [new("paddle", '=', 51), new("ball", 'O', 231), new("trail", '.', 243), new("brick", '#', 166)];

    public static ImmutableArray<int> MinimalActions { get; } = [0, 1, 3];

    public static Breakout Create(bool ramping) => default;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        (_ballX, _direction) = draws.Integer(2) == 0 ? (0, 2) : (9, 3);
        _ballY = 3;
        (_trailX, _trailY) = (_ballX, _ballY);
        _paddleX = 4;
        (_bricksLow, _bricksHigh) = (FullLow, FullHigh);
        _strike = false;
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var move = (action == 3 ? 1 : 0) - (action == 1 ? 1 : 0);
        _paddleX = Math.Min(Math.Max(_paddleX + move, 0), Board.Size - 1);

        (_trailX, _trailY) = (_ballX, _ballY);
        var x = _ballX + (((_direction ^ (_direction >> 1)) & 1) * 2 - 1);
        var y = _ballY + ((_direction & 2) - 1);
        if ((uint)x >= Board.Size)
        {
            x = _ballX;
            _direction ^= FlipHorizontal;
        }

        var (touching, broken, over) = (false, false, false);
        if (y < 0)
        {
            y = 0;
            _direction ^= FlipVertical;
        }
        else if (HasBrick(x, y))
        {
            touching = true;
            if (!_strike)
            {
                broken = _strike = true;
                RemoveBrick(x, y);
                y = _ballY;
                _direction ^= FlipVertical;
            }
        }
        else if (y == PaddleRow)
        {
            if ((_bricksLow | _bricksHigh) == 0) (_bricksLow, _bricksHigh) = (FullLow, FullHigh);
            if (_ballX == _paddleX)
            {
                _direction ^= FlipVertical;
                y = _ballY;
            }
            else if (x == _paddleX)
            {
                _direction ^= Reverse;
                y = _ballY;
            }
            else over = true;
        }
        _strike &= touching;
        (_ballX, _ballY) = (x, y);
        return new Outcome(broken ? 1 : 0, Terminated: over);
    }

    public readonly void Observe(Span<byte> observation)
    {
        // Four channels make a nibble a cell and five bytes a row.
        observation = observation[..50];
        observation.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(observation[5..], _bricksLow);
        BinaryPrimitives.WriteUInt64LittleEndian(observation[13..], _bricksHigh);
        Set(observation, _paddleX, PaddleRow, 0);
        Set(observation, _ballX, _ballY, 1);
        Set(observation, _trailX, _trailY, 2);
    }

    private static void Set(Span<byte> observation, int x, int y, int channel)
    {
        var cell = y * Board.Size + x;
        observation[cell >> 1] |= (byte)((1 << channel) << ((cell & 1) * 4));
    }

    private readonly bool HasBrick(int x, int y)
    {
        if ((uint)(y - FirstBrickRow) >= BrickRows) return false;
        var (half, bit) = Locate(x, y);
        return ((half == 0 ? _bricksLow : _bricksHigh) & bit) != 0;
    }

    private void RemoveBrick(int x, int y)
    {
        var (half, bit) = Locate(x, y);
        if (half == 0) _bricksLow &= ~bit;
        else _bricksHigh &= ~bit;
    }

    private static (int Half, ulong Bit) Locate(int x, int y)
    {
        var brick = (y - FirstBrickRow) * Board.Size + x;
        return (brick >> 4, 8UL << (4 * (brick & 15)));
    }
}

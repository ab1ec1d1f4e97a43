using System.Collections.Immutable;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>MinAtar's Seaquest: shoot fish and submarines, one point each, and bring divers up before the oxygen ends.</summary>
/// <remarks>
/// Row 0 is the surface, rows 1 to 8 the sea, where fish, enemy submarines and divers come in at the edges and cross. Enemies of a
/// row all swim one way: one that would swim against another does not come. Submarines shoot. Touching an enemy or a bullet of theirs
/// ends the game, as does using up the oxygen, which lasts 200 steps below the surface. Coming up costs a diver and fills the oxygen;
/// without a diver it ends the game. Coming up with all six that fit delivers them, for a point per tenth of the oxygen left; the one
/// diver is charged all the same, which leaves -1, and only a count of exactly 0 is fatal. With ramping, every surfacing makes enemies
/// come sooner and every second one makes them faster.
/// The draws of an enemy: doubles for direction and kind, an integer for the row; of a diver: a double for the direction, an integer.
/// Channels: 0 submarine front, 1 submarine back, 2 friendly bullet, 3 trail (the column behind who swims), 4 enemy bullet, 5 fish,
/// 6 enemy submarine, 7 oxygen gauge, 8 diver gauge, 9 diver. Written from tests/Oracles/minatar/SPEC.md, section 4.
/// </remarks>
public struct Seaquest : IMinAtarGame<Seaquest>
{
    private const int MaxOxygen = 200, MaxDivers = 6, GaugeRow = 9, GaugeCells = 10, SeaRow = 1, SeaRows = 8;
    private const int FirstSpawnSpeed = 20, FirstMoveSpeed = 5, LastSpawnSpeed = 1, LastMoveSpeed = 2;
    private const int DiverSpawnInterval = 30, DiverMoveInterval = 5, ShotInterval = 5, EnemyShotInterval = 10;
    private const int ChannelCount = 10;

    // Swimmers.Capacity, 40, suffices: an enemy that comes at move speed m stays for at most 10 (m + 1) steps. While m is 2, one a step
    // comes at most, which makes 30; while it is 3 to 5, one in 15 steps, which makes 4.
    private Swimmers _fish, _submarines, _divers, _bullets;
    private UInt128 _enemyBulletsLeft, _enemyBulletsRight; // By their direction; two in a cell would stay together.
    private int _playerX, _playerY, _direction, _oxygen, _diverCount;
    private int _spawnSpeed, _spawnTimer, _diverTimer, _moveSpeed, _shotTimer, _rampIndex;
    private bool _atSurface, _ramping;

    public static string Name => "seaquest";

    public static string Description => "MinAtar Seaquest: shoot fish and submarines, bring divers up, mind the oxygen.";

    public static ImmutableArray<ChannelLook> Channels { get; } =
    [
        new("submarine front", 'O', 226), new("submarine back", 'o', 178), new("friendly bullet", '-', 231), new("trail", '.', 24),
        new("enemy bullet", '*', 213), new("fish", 'F', 208), new("enemy submarine", 'S', 196), new("oxygen gauge", '=', 39),
        new("diver gauge", 'd', 46), new("diver", 'D', 46),
    ];

    public static ImmutableArray<int> MinimalActions { get; } = [0, 1, 2, 3, 4, 5];

    public static Seaquest Create(bool ramping) => new() { _ramping = ramping };

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _fish.Clear();
        _submarines.Clear();
        _divers.Clear();
        _bullets.Clear();
        _enemyBulletsLeft = _enemyBulletsRight = UInt128.Zero;
        (_playerX, _playerY, _direction) = (5, 0, -1);
        (_oxygen, _diverCount, _atSurface) = (MaxOxygen, 0, true);
        _spawnSpeed = _spawnTimer = FirstSpawnSpeed;
        (_diverTimer, _moveSpeed, _shotTimer, _rampIndex) = (DiverSpawnInterval, FirstMoveSpeed, 0, 0);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var (reward, over) = (0, false);
        if (_spawnTimer == 0)
        {
            SpawnEnemy(ref draws);
            _spawnTimer = _spawnSpeed;
        }
        if (_diverTimer == 0)
        {
            SpawnDiver(ref draws);
            _diverTimer = DiverSpawnInterval;
        }
        MovePlayer(action);
        MoveBullets(ref reward);
        MoveDivers();
        MoveSubmarines(ref reward, ref over);
        MoveEnemyBullets(ref over);
        for (var i = _fish.Count - 1; i >= 0; i--)
            if (!MoveEnemy(ref _fish[i], ref reward, ref over)) _fish.RemoveAt(i);

        if (_spawnTimer > 0) _spawnTimer--;
        if (_diverTimer > 0) _diverTimer--;
        if (_shotTimer > 0) _shotTimer--;
        Breathe(ref reward, ref over);
        return new Outcome(reward, Terminated: over);
    }

    public readonly void Observe(Span<byte> observation)
    {
        observation = observation[..125];
        observation.Clear();
        Board.Set(observation, ChannelCount, _playerX, _playerY, 0);
        Board.Set(observation, ChannelCount, _playerX - _direction, _playerY, 1);
        foreach (ref readonly var bullet in _bullets.All) Board.Set(observation, ChannelCount, bullet.X, bullet.Y, 2);
        SetEach(observation, _enemyBulletsLeft | _enemyBulletsRight, 4);
        SetEach(observation, _fish, 5);
        SetEach(observation, _submarines, 6);
        SetEach(observation, _divers, 9);
        var gauge = Math.Max(0, _oxygen) * GaugeCells / MaxOxygen;
        for (var x = 0; x < gauge; x++) Board.Set(observation, ChannelCount, x, GaugeRow, 7);
        for (var x = 9 - _diverCount; x <= 8; x++) Board.Set(observation, ChannelCount, x, GaugeRow, 8);
    }

    private static void SetEach(Span<byte> observation, in Swimmers swimmers, int channel)
    {
        foreach (ref readonly var swimmer in swimmers.All)
        {
            Board.Set(observation, ChannelCount, swimmer.X, swimmer.Y, channel);
            var behind = swimmer.X - swimmer.Direction;
            if ((uint)behind < Board.Size) Board.Set(observation, ChannelCount, behind, swimmer.Y, 3);
        }
    }

    private static void SetEach(Span<byte> observation, UInt128 cells, int channel)
    {
        for (; cells != UInt128.Zero; cells &= cells - 1)
        {
            var cell = (int)UInt128.TrailingZeroCount(cells);
            Board.Set(observation, ChannelCount, cell % Board.Size, cell / Board.Size, channel);
        }
    }

    private void SpawnEnemy<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        var direction = draws.Double() < 0.5 ? 1 : -1;
        var isSubmarine = draws.Double() < 1.0 / 3;
        var y = SeaRow + draws.Integer(SeaRows);
        if (_submarines.AnyAgainst(y, direction) || _fish.AnyAgainst(y, direction)) return;
        var enemy = Entering(direction, y, _moveSpeed);
        if (isSubmarine) _submarines.Add(enemy);
        else _fish.Add(enemy);
    }

    private void SpawnDiver<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        var direction = draws.Double() < 0.5 ? 1 : -1;
        _divers.Add(Entering(direction, SeaRow + draws.Integer(SeaRows), DiverMoveInterval));
    }

    private static Swimmer Entering(int direction, int y, int moveTimer) => new()
    {
        X = (sbyte)(direction > 0 ? 0 : Board.Size - 1), Y = (sbyte)y, Direction = (sbyte)direction,
        MoveTimer = (sbyte)moveTimer, ShotTimer = EnemyShotInterval,
    };

    private void MovePlayer(int action)
    {
        switch (action)
        {
            case 1:
                (_playerX, _direction) = (Math.Max(_playerX - 1, 0), -1);
                break;
            case 2:
                _playerY = Math.Max(_playerY - 1, 0);
                break;
            case 3:
                (_playerX, _direction) = (Math.Min(_playerX + 1, Board.Size - 1), 1);
                break;
            case 4:
                _playerY = Math.Min(_playerY + 1, SeaRow + SeaRows - 1);
                break;
            case 5 when _shotTimer == 0:
                _bullets.Add(new Swimmer { X = (sbyte)_playerX, Y = (sbyte)_playerY, Direction = (sbyte)_direction });
                _shotTimer = ShotInterval;
                break;
        }
    }

    private void MoveBullets(ref int reward)
    {
        for (var i = _bullets.Count - 1; i >= 0; i--)
        {
            ref var bullet = ref _bullets[i];
            bullet.X += bullet.Direction;
            if (bullet.IsOnBoard)
            {
                if (!_fish.RemoveFirstAt(bullet.X, bullet.Y) && !_submarines.RemoveFirstAt(bullet.X, bullet.Y)) continue;
                reward++;
            }
            _bullets.RemoveAt(i);
        }
    }

    private void MoveDivers()
    {
        for (var i = _divers.Count - 1; i >= 0; i--)
        {
            ref var diver = ref _divers[i];
            var pickedUp = CanPickUp(diver);
            if (!pickedUp)
            {
                if (--diver.MoveTimer >= 0) continue;
                diver.MoveTimer = DiverMoveInterval;
                diver.X += diver.Direction;
                pickedUp = CanPickUp(diver);
                if (!pickedUp && diver.IsOnBoard) continue;
            }
            if (pickedUp) _diverCount++;
            _divers.RemoveAt(i);
        }
    }

    private readonly bool CanPickUp(in Swimmer diver) => diver.IsAt(_playerX, _playerY) && _diverCount < MaxDivers;

    private void MoveSubmarines(ref int reward, ref bool over)
    {
        for (var i = _submarines.Count - 1; i >= 0; i--)
        {
            ref var submarine = ref _submarines[i];
            var stays = MoveEnemy(ref submarine, ref reward, ref over);
            if (--submarine.ShotTimer < 0)
            {
                submarine.ShotTimer = EnemyShotInterval;
                if (submarine.IsOnBoard) ShootAtPlayer(submarine); // Also one that was just shot.
            }
            if (!stays) _submarines.RemoveAt(i);
        }
    }

    private void ShootAtPlayer(in Swimmer submarine)
    {
        var cell = BitBoard.Cell(submarine.X, submarine.Y);
        if (submarine.Direction > 0) _enemyBulletsRight |= cell;
        else _enemyBulletsLeft |= cell;
    }

    /// <summary>The turn of a fish or a submarine; false where it has left the board or was shot.</summary>
    private bool MoveEnemy(ref Swimmer enemy, ref int reward, ref bool over)
    {
        over |= enemy.IsAt(_playerX, _playerY);
        if (--enemy.MoveTimer >= 0) return true;
        enemy.MoveTimer = (sbyte)_moveSpeed;
        enemy.X += enemy.Direction;
        if (!enemy.IsOnBoard) return false;
        if (enemy.IsAt(_playerX, _playerY))
        {
            over = true;
            return true;
        }
        if (!_bullets.RemoveFirstAt(enemy.X, enemy.Y)) return true;
        reward++;
        return false;
    }

    private void MoveEnemyBullets(ref bool over)
    {
        var before = _enemyBulletsLeft | _enemyBulletsRight;
        if (before == UInt128.Zero) return;
        _enemyBulletsLeft = BitBoard.Left(_enemyBulletsLeft);
        _enemyBulletsRight = BitBoard.Right(_enemyBulletsRight);
        over |= BitBoard.Has(before | _enemyBulletsLeft | _enemyBulletsRight, _playerX, _playerY);
    }

    private void Breathe(ref int reward, ref bool over)
    {
        over |= _oxygen <= 0;
        if (_playerY > 0)
        {
            _oxygen--;
            _atSurface = false;
        }
        else if (!_atSurface)
        {
            if (_diverCount == 0) over = true;
            else reward += Surface();
        }
    }

    /// <summary>Delivers six divers, breathes, pays a diver and ramps; gives the reward.</summary>
    private int Surface()
    {
        _atSurface = true;
        var reward = 0;
        if (_diverCount == MaxDivers)
        {
            _diverCount = 0;
            reward = _oxygen * GaugeCells / MaxOxygen;
        }
        _oxygen = MaxOxygen;
        _diverCount--;
        if (_ramping && (_spawnSpeed > LastSpawnSpeed || _moveSpeed > LastMoveSpeed))
        {
            if (_moveSpeed > LastMoveSpeed && (_rampIndex & 1) != 0) _moveSpeed--;
            if (_spawnSpeed > LastSpawnSpeed) _spawnSpeed--;
            _rampIndex++;
        }
        return reward;
    }
}

namespace Rl.Distributed.Core.Environments.Bsuite;

/// <summary>Catch, of DeepMind's bsuite: catch a falling ball with a paddle.</summary>
/// <remarks>
/// The board has 10 rows of 5 columns. The ball starts in a random column of row 0, the paddle in the middle of row 9. Each step
/// first moves the paddle one column (0 left, 1 stay, 2 right; the walls stop it), then drops the ball one row. The episode ends
/// when the ball reaches row 9, so after 9 steps: reward 1 if the paddle is under it, else -1; every other step gives 0.
/// Observation: Bit[10, 5], row by row; ball and paddle are 1. The only draw is the ball's column, at the reset.
/// Rules after bsuite/environments/catch.py (Osband et al. 2019, arXiv:1908.03568).
/// </remarks>
public struct Catch : IGame<Catch, int>
{
    private const int Rows = 10, Columns = 5;
    private const byte AirColor = 234, WallColor = 240, PaddleColor = 39, BallColor = 220;

    private int _ballX, _ballY, _paddleX;

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = "catch",
        Description = "Catch a falling ball with a paddle on a board of 10 by 5 (bsuite); 9 steps an episode, best return 1.",
        Spec = Spec,
        Create = (options, count, random) => new GameBatch<Catch, int>(options, count, random),
    };

    public static EnvironmentSpec Spec(EnvironmentOptions options) =>
        new("catch", new ObservationSpec(ElementType.Bit, Rows, Columns), new DiscreteActionSpec(3));

    public static Catch Create(EnvironmentOptions options) => default;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws =>
        (_ballX, _ballY, _paddleX) = (draws.Integer(Columns), 0, Columns / 2);

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        _paddleX = Math.Clamp(_paddleX + action - 1, 0, Columns - 1);
        _ballY++;
        return _ballY == Rows - 1 ? new Outcome(_paddleX == _ballX ? 1 : -1, Terminated: true) : new Outcome(0);
    }

    public readonly void Observe(Span<byte> observation)
    {
        observation.Clear();
        Set(observation, _ballX, _ballY);
        Set(observation, _paddleX, Rows - 1);
    }

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(2 * Columns + 2, Rows + 1, AirColor);
        for (var y = 0; y < Rows; y++)
        {
            canvas.Block(0, y, '|', WallColor);
            canvas.Block(2 * Columns + 1, y, '|', WallColor);
        }
        for (var x = 0; x < 2 * Columns + 2; x++) canvas.Block(x, Rows, '-', WallColor);
        canvas.Block(1 + 2 * _paddleX, Rows - 1, '[', PaddleColor);
        canvas.Block(2 + 2 * _paddleX, Rows - 1, ']', PaddleColor);
        canvas.Block(1 + 2 * _ballX, _ballY, '(', BallColor);
        canvas.Block(2 + 2 * _ballX, _ballY, ')', BallColor);
    }

    private static void Set(Span<byte> observation, int x, int y)
    {
        var bit = y * Columns + x;
        observation[bit >> 3] |= (byte)(1 << (bit & 7));
    }
}

namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>The valley of both mountain cars: how a car rolls in it, and its picture in 61 × 16 characters.</summary>
/// <remarks>
/// v += push - 0.0025 cos 3p, clamped to ±0.07;  p += v, clamped to [-1.2, 0.6]; the wall at -1.2 stops the car. The ground is as high
/// as sin 3p, lowest at p = -π/6. Moore 1990, in the form of Gymnasium's MountainCar-v0.
/// </remarks>
internal static class Valley
{
    public const double Left = -1.2, Right = 0.6, MaxSpeed = 0.07;

    /// <summary>What is wrong with a state that no car is in.</summary>
    public const string NoCar = "a car is between -1.2 and 0.6 and rolls at most 0.07 a step";

    private const int Width = 61, Height = 16, Hills = 12;

    public static void Roll(ref double position, ref double speed, double push)
    {
        speed = Math.Clamp(speed + (push - 0.0025 * Math.Cos(3 * position)), -MaxSpeed, MaxSpeed);
        position = Math.Clamp(position + speed, Left, Right);
        if (position == Left && speed < 0) speed = 0;
    }

    /// <summary>A first position; cars start at rest.</summary>
    public static double Start<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => -0.6 + 0.2 * draws.Double();

    public static void Draw(double position, double goal, TextCanvas canvas)
    {
        canvas.Clear(Width, Height);
        for (var column = 0; column < Width; column++)
        {
            var ground = Ground(column);
            canvas.Put(column, ground, '^', 2);
            for (var row = ground + 1; row < Height; row++) canvas.Put(column, row, '.', 8);
        }
        var flag = Column(goal);
        canvas.Put(flag, Ground(flag) - 1, '|', 15);
        canvas.Put(flag, Ground(flag) - 2, '>', 9);
        var car = Column(position);
        canvas.Put(car, Ground(car) - 1, 'O', 11);
    }

    private static int Column(double position) => (int)Math.Round((position - Left) / (Right - Left) * (Width - 1));

    private static int Ground(int column)
    {
        var position = Left + column * (Right - Left) / (Width - 1);
        return Height - 2 - (int)Math.Round((Math.Sin(3 * position) + 1) / 2 * (Hills - 1));
    }
}

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

    private const int Width = 61, Height = 16, Hills = 23;
    private const byte GrassColor = 34, EarthColor = 22, PoleColor = 252, FlagColor = 196, CarColor = 220, WheelColor = 94;

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
            for (var row = ground; row < 2 * Height; row++) canvas.Dot(column, row, row < ground + 2 ? GrassColor : EarthColor);
        }
        var flag = Column(goal);
        canvas.Line(flag, Ground(flag) - 1, flag, Ground(flag) - 6, PoleColor);
        for (var row = 5; row <= 6; row++) canvas.Line(flag + 1, Ground(flag) - row, flag + 3, Ground(flag) - row, FlagColor);
        var car = Column(position);
        for (var column = car - 2; column <= car + 2; column++)
        {
            canvas.Dot(column, Ground(column) - 1, Math.Abs(column - car) == 1 ? WheelColor : CarColor);
            canvas.Dot(column, Ground(column) - 2, CarColor);
            if (Math.Abs(column - car) < 2) canvas.Dot(column, Ground(column) - 3, CarColor);
        }
    }

    private static int Column(double position) => (int)Math.Round((position - Left) / (Right - Left) * (Width - 1));

    /// <summary>The highest dot of the ground, in half rows.</summary>
    private static int Ground(int column)
    {
        var position = Left + column * (Right - Left) / (Width - 1);
        return 2 * Height - 4 - (int)Math.Round((Math.Sin(3 * position) + 1) / 2 * (Hills - 1));
    }
}

namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>The cart and its pole in 61 × 12 characters.</summary>
internal static class CartPolePicture
{
    private const int Width = 61, Height = 12, Track = Height - 1, PoleRows = 9;

    public static void Draw(double x, double angle, TextCanvas canvas)
    {
        canvas.Clear(Width, Height);
        for (var column = 0; column < Width; column++) canvas.Put(column, Track, column is 0 or Width / 2 or Width - 1 ? '+' : '-', 8);
        var cart = (int)Math.Round((x / CartPole.MaxPosition + 1) / 2 * (Width - 1));
        for (var offset = -3; offset <= 3; offset++) canvas.Put(cart + offset, Track - 1, offset is -3 ? '[' : offset is 3 ? ']' : '=', 12);
        // A character is about twice as high as wide, so a row's sideways step counts double.
        var glyph = Math.Abs(angle) < 0.04 ? '|' : angle < 0 ? '\\' : '/';
        for (var row = 1; row <= PoleRows; row++) canvas.Put(cart + (int)Math.Round(2 * row * Math.Tan(angle)), Track - 1 - row, glyph, 11);
    }
}

namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>The cart and its pole in 61 × 12 characters, in square dots.</summary>
internal static class CartPolePicture
{
    private const int Width = 61, Height = 12, Track = 2 * Height - 2, PoleDots = 17, CartSide = 4;
    private const byte TrackColor = 240, EndColor = 196, CartColor = 39, PoleColor = 214;

    public static void Draw(double x, double angle, TextCanvas canvas)
    {
        canvas.Clear(Width, Height);
        for (var column = 0; column < Width; column++) canvas.Dot(column, Track, column is 0 or Width - 1 ? EndColor : TrackColor);
        canvas.Dot(Width / 2, Track + 1, TrackColor);
        var cart = (int)Math.Round((x / CartPole.MaxPosition + 1) / 2 * (Width - 1));
        var (right, up) = Math.SinCos(angle);
        canvas.Line(cart, Track - 4, cart + PoleDots * right, Track - 4 - PoleDots * up, PoleColor, thickness: 2.5);
        for (var row = Track - 3; row < Track; row++) canvas.Line(cart - CartSide, row, cart + CartSide, row, CartColor);
    }
}

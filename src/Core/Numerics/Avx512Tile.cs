namespace Rl.Distributed.Core.Numerics;

/// <summary>AVX-512 tiles: 12 rows by 32 columns, or by 16 at the right edge.</summary>
internal readonly struct Avx512Tile : ITile
{
    public static int Rows => 12;

    public static int Width => 32;

    public static int Lane => 16;

    public static void Run(in TileArguments t)
    {
        if (t.Columns > 16) Avx512WideTile.Run(t);
        else Avx512NarrowTile.Run(t);
    }
}

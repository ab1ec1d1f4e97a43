using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Numerics;

/// <summary>The loops around the tiles.</summary>
/// <remarks>
/// After Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication", for matrices that are at
/// most some hundred columns wide: a block of b (<see cref="BlockSteps"/> steps of k by up to <see cref="BlockFloats"/>
/// elements) is packed into panels one tile wide and stays in L2, while each band of rows of a, which stays in L1,
/// passes over all panels. Where few rows pass over it, b is read in place. So is a, except when it is transposed: then
/// bands are packed too, several at once, since neighbouring rows share cache lines. A chain of sums continues in c
/// from one block of k to the next, so that no blocking shows in the result.
/// </remarks>
internal static unsafe class BlockedGemm<TTile>
    where TTile : struct, ITile
{
    private const int BlockSteps = 512;
    private const int BlockFloats = 128 * 1024;
    private const int BandsPackedAtOnce = 8;

    /// <summary>A transposed a whose rows are at most this far apart is read in place.</summary>
    private const int DirectColumns = 40;

    /// <summary>Panels that at most this many rows pass over are not worth a copy.</summary>
    private const int DirectRows = 64;

    public static void Multiply(
        int m, int n, int k, float* a, int aStride, bool transposeA, float* b, int bStride, bool transposeB,
        float* c, int cStride, bool accumulate)
    {
        var isReused = m > DirectRows;
        var blockSteps = isReused ? BlockSteps : BlockSteps / 2;
        var blocks = (k + blockSteps - 1) / blockSteps;
        var steps = (k + blocks - 1) / blocks;
        var width = Math.Max(TTile.Width, BlockFloats / steps / TTile.Width * TTile.Width);
        for (var j = 0; j < n; j += width)
        {
            var columns = Math.Min(width, n - j);
            for (var p = 0; p < k; p += steps)
            {
                var depth = Math.Min(steps, k - p);
                var panels = new Panels(b, bStride, transposeB, p, depth, j, columns, isReused);
                var tile = new TileArguments { K = depth, CStride = cStride, Accumulate = accumulate || p > 0 };
                if (transposeA && aStride > DirectColumns) PackedBands(ref tile, panels, m, a + (nint)p * aStride, aStride, c + j);
                else if (transposeA) Bands(ref tile, panels, m, a + (nint)p * aStride, 1, aStride, c + j);
                else Bands(ref tile, panels, m, a + p, aStride, 1, c + j);
            }
        }
    }

    private static void Bands(ref TileArguments tile, in Panels panels, int rows, float* a, nint aRow, nint aStep, float* c)
    {
        (tile.ARow, tile.AStep) = (aRow, aStep);
        for (var i = 0; i < rows; i += TTile.Rows)
        {
            tile.Rows = Math.Min(TTile.Rows, rows - i);
            tile.A = a + i * aRow;
            panels.Run(ref tile, c + i * tile.CStride);
        }
    }

    private static void PackedBands(ref TileArguments tile, in Panels panels, int m, float* a, nint aStride, float* c)
    {
        const int Group = BandsPackedAtOnce;
        var packed = Scratch.PackedA.Rent(Group * TTile.Rows * tile.K);
        for (var i = 0; i < m; i += Group * TTile.Rows)
        {
            var rows = Math.Min(Group * TTile.Rows, m - i);
            PackRows(rows, tile.K, a + i, aStride, packed);
            (tile.ARow, tile.AStep) = (1, TTile.Rows);
            for (var r = 0; r < rows; r += TTile.Rows)
            {
                tile.Rows = Math.Min(TTile.Rows, rows - r);
                tile.A = packed + r * tile.K;
                panels.Run(ref tile, c + (nint)(i + r) * tile.CStride);
            }
        }
    }

    /// <summary>Columns i … i + rows of a transposed matrix become bands [depth][TTile.Rows], one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackRows(int rows, int depth, float* a, nint stride, float* packed)
    {
        for (var p = 0; p < depth; p++, a += stride)
        {
            var to = packed + p * TTile.Rows;
            var r = 0;
            if (p + 1 < depth)
            {
                // One or two stores a band: what they write past its row is overwritten by the next step.
                for (; r + 16 <= rows; r += TTile.Rows, to += TTile.Rows * depth)
                {
                    if (TTile.Rows > 8) Vector512.Load(a + r).Store(to);
                    else if (TTile.Rows > 4) Vector256.Load(a + r).Store(to);
                    else Vector128.Load(a + r).Store(to);
                }
            }
            for (; r + TTile.Rows <= rows; r += TTile.Rows, to += TTile.Rows * depth)
            {
                var e = 0;
                for (; e + 4 <= TTile.Rows; e += 4) Vector128.Load(a + r + e).Store(to + e);
                for (; e < TTile.Rows; e++) to[e] = a[r + e];
            }
            for (var e = 0; r < rows; r++, e++) to[e] = a[r];
        }
    }

    /// <summary>A block of b as panels one tile wide: packed, or where they lie.</summary>
    private readonly ref struct Panels
    {
        private readonly float* _packed, _direct;
        private readonly nint _directStride;
        private readonly int _columns, _directColumns;

        /// <summary>Packs what must be: columns that are transposed, that end within a vector, or whose wide stride
        /// costs more than a copy that is reused.</summary>
        public Panels(float* b, nint bStride, bool transposeB, int p, int depth, int j, int columns, bool isReused)
        {
            _columns = columns;
            _directStride = bStride;
            _direct = b + p * bStride + j;
            var mustPack = transposeB || (isReused && bStride > TTile.Width);
            _directColumns = mustPack ? 0 : columns / TTile.Lane * TTile.Lane;
            if (_directColumns == columns) return;
            _packed = Scratch.PackedB.Rent(Padded(columns - _directColumns) * depth);
            var to = _packed;
            for (var x = _directColumns; x < columns;)
            {
                var width = Math.Min(TTile.Width, columns - x);
                var stride = Padded(width);
                if (transposeB) PackTransposed(width, depth, b + (j + x) * bStride + p, bStride, to, stride);
                else PackPlain(width, depth, _direct + x, bStride, to, stride);
                to += (nint)depth * stride;
                x += width;
            }
        }

        public void Run(ref TileArguments tile, float* c)
        {
            tile.BStride = _directStride;
            for (var x = 0; x < _directColumns; x += TTile.Width)
            {
                tile.Columns = Math.Min(TTile.Width, _directColumns - x);
                tile.B = _direct + x;
                tile.C = c + x;
                TTile.Run(tile);
            }
            var packed = _packed;
            for (var x = _directColumns; x < _columns; x += TTile.Width)
            {
                tile.Columns = Math.Min(TTile.Width, _columns - x);
                tile.BStride = Padded(tile.Columns);
                tile.B = packed;
                tile.C = c + x;
                TTile.Run(tile);
                packed += tile.BStride * tile.K;
            }
        }

        private static int Padded(int columns) => (columns + TTile.Lane - 1) / TTile.Lane * TTile.Lane;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void PackPlain(int width, int depth, float* b, nint bStride, float* to, int stride)
        {
            for (var p = 0; p < depth; p++, b += bStride, to += stride)
            {
                var x = 0;
                if (Vector512.IsHardwareAccelerated)
                {
                    for (; x + 16 <= width; x += 16) Vector512.Load(b + x).Store(to + x);
                }
                for (; x + 8 <= width; x += 8) Vector256.Load(b + x).Store(to + x);
                if (x == stride) continue;
                for (var zero = x; zero < stride; zero += 8) Vector256<float>.Zero.Store(to + zero);
                for (; x < width; x++) to[x] = b[x];
            }
        }

        private static void PackTransposed(int width, int depth, float* b, nint bStride, float* to, int stride)
        {
            Transposition.Run(width, depth, b, bStride, to, stride);
            if (width == stride) return;
            for (var p = 0; p < depth; p++) new Span<float>(to + (nint)p * stride + width, stride - width).Clear();
        }
    }
}

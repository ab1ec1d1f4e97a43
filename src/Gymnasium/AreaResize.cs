using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium;

/// <summary>Makes grey pictures smaller: each new pixel is the mean of the area that it covers, exactly.</summary>
/// <remarks>As OpenCV's INTER_AREA, up to the rounding of halves. Not thread-safe; allocates nothing.</remarks>
internal sealed class AreaResize
{
    private readonly Part[] _rows, _columns;
    private readonly int _fromWidth, _toWidth;
    private readonly float[] _picture, _row;

    public AreaResize(int fromHeight, int fromWidth, int toHeight, int toWidth)
    {
        (_fromWidth, _toWidth) = (fromWidth, toWidth);
        (_rows, _columns) = (Parts(fromHeight, toHeight), Parts(fromWidth, toWidth));
        (_picture, _row) = (new float[fromHeight * fromWidth], new float[fromWidth]);
    }

    public void Resize(ReadOnlySpan<byte> from, Span<byte> to)
    {
        Conversions.BytesToSingle(from, 1, _picture);
        for (var y = 0; y < _rows.Length; y++)
        {
            Array.Clear(_row);
            var rows = _rows[y];
            for (var i = 0; i < rows.Weights.Length; i++)
                VectorOps.Axpy(rows.Weights[i], _picture.AsSpan((rows.First + i) * _fromWidth, _fromWidth), _row);
            var line = to.Slice(y * _toWidth, _toWidth);
            for (var x = 0; x < line.Length; x++)
            {
                var columns = _columns[x];
                var sum = 0.5f;
                for (var i = 0; i < columns.Weights.Length; i++) sum += columns.Weights[i] * _row[columns.First + i];
                line[x] = (byte)sum;
            }
        }
    }

    // New pixel i covers from i·s to (i+1)·s of the old ones, s = from/to; the weights are the shares of the old ones in it.
    private static Part[] Parts(int from, int to)
    {
        var parts = new Part[to];
        for (var i = 0; i < to; i++)
        {
            // In units of 1/to of an old pixel, where all is whole.
            var (start, end) = ((long)i * from, (long)(i + 1) * from);
            var (first, last) = ((int)(start / to), (int)((end - 1) / to));
            var weights = new float[last - first + 1];
            for (var old = first; old <= last; old++)
                weights[old - first] = (float)((double)(Math.Min(end, (old + 1L) * to) - Math.Max(start, (long)old * to)) / from);
            parts[i] = new Part(first, weights);
        }
        return parts;
    }

    private readonly record struct Part(int First, float[] Weights);
}

using System.Runtime.Intrinsics;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Distributions over a few actions, one a row of a matrix [rows, actions].</summary>
/// <remarks>Rows are short (2 to 18 actions), so vectors run across rows: 64 rows are transposed into scratch memory,
/// worked on column by column, one vector of rows at a time, and transposed back. A row's result does not depend on its
/// neighbours. Logits may be -∞ (an action that is not allowed), but not all of a row's. The scalar twins are in
/// <see cref="ScalarKernels"/>.</remarks>
/// <exception cref="ArgumentException">The lengths do not fit together.</exception>
public static unsafe class Categorical
{
    /// <summary>Rows that are transposed at once: enough that what is stored has left the store buffer when it is read.</summary>
    private const int BlockRows = 64;

    /// <summary>y[i, a] = x[i, a] - log Σ e^x[i, ·]. y may be x.</summary>
    public static void LogSoftmax(ReadOnlySpan<float> logits, int actions, Span<float> logProbabilities)
    {
        if (!Vector128.IsHardwareAccelerated) ScalarKernels.LogSoftmax(logits, actions, logProbabilities);
        else Normalize(logits, actions, logProbabilities, isLog: true);
    }

    /// <summary>y[i, a] = e^x[i, a] / Σ e^x[i, ·]. y may be x.</summary>
    public static void Softmax(ReadOnlySpan<float> logits, int actions, Span<float> probabilities)
    {
        if (!Vector128.IsHardwareAccelerated) ScalarKernels.Softmax(logits, actions, probabilities);
        else Normalize(logits, actions, probabilities, isLog: false);
    }

    /// <summary>Draws chosen[i] with probability softmax(logits[i, ·]) by inverting the cumulative sum: the first
    /// action whose sum exceeds uniforms[i] times the total.</summary>
    /// <param name="logits">[rows, actions], where rows is the length of chosen.</param>
    /// <param name="uniforms">[rows], in [0, 1).</param>
    /// <param name="chosen">[rows].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sample(ReadOnlySpan<float> logits, ReadOnlySpan<float> uniforms, Span<int> chosen)
    {
        Lengths.CheckEqual(uniforms.Length, chosen.Length);
        var actions = ActionsOf(logits, chosen.Length);
        if (!Vector128.IsHardwareAccelerated)
        {
            ScalarKernels.Sample(logits, uniforms, chosen);
            return;
        }
        var columns = Scratch.PackedA.Rent(actions * BlockRows);
        var draws = stackalloc float[BlockRows];
        var indices = stackalloc int[BlockRows];
        fixed (float* x = logits, u = uniforms)
        {
            for (var i = 0; i < chosen.Length; i += BlockRows)
            {
                var rows = Load(x, actions, i, chosen.Length, columns);
                new ReadOnlySpan<float>(u + i, rows).CopyTo(new Span<float>(draws, rows));
                for (var r = 0; r < rows; r += Vector512<float>.Count)
                {
                    var total = Exponentials(columns + r, actions, Maximum(columns + r, actions));
                    var threshold = Vector512.Load(draws + r) * total;
                    var (sum, index) = (Vector512<float>.Zero, Vector512<int>.Zero);
                    for (var a = 0; a < actions; a++)
                    {
                        // A comparison that holds is -1. At the total no action with a probability is left.
                        sum += Vector512.Load(columns + a * BlockRows + r);
                        index -= (Vector512.LessThanOrEqual(sum, threshold) & Vector512.LessThan(sum, total)).AsInt32();
                    }
                    index.Store(indices + r);
                }
                new ReadOnlySpan<int>(indices, rows).CopyTo(chosen[i..]);
            }
        }
    }

    /// <summary>chosen[i] = the first action with the largest value: x is [rows, actions], chosen [rows].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ArgMax(ReadOnlySpan<float> values, Span<int> chosen)
    {
        var actions = ActionsOf(values, chosen.Length);
        if (!Vector128.IsHardwareAccelerated)
        {
            ScalarKernels.ArgMax(values, chosen);
            return;
        }
        var columns = Scratch.PackedA.Rent(actions * BlockRows);
        var indices = stackalloc int[BlockRows];
        fixed (float* x = values)
        {
            for (var i = 0; i < chosen.Length; i += BlockRows)
            {
                var rows = Load(x, actions, i, chosen.Length, columns);
                for (var r = 0; r < rows; r += Vector512<float>.Count)
                {
                    var (best, index) = (Vector512.Load(columns + r), Vector512<int>.Zero);
                    for (var a = 1; a < actions; a++)
                    {
                        var value = Vector512.Load(columns + a * BlockRows + r);
                        var isLarger = Vector512.GreaterThan(value, best);
                        best = Vector512.ConditionalSelect(isLarger, value, best);
                        index = Vector512.ConditionalSelect(isLarger.AsInt32(), Vector512.Create(a), index);
                    }
                    index.Store(indices + r);
                }
                new ReadOnlySpan<int>(indices, rows).CopyTo(chosen[i..]);
            }
        }
    }

    /// <summary>entropies[i] = -Σ p log p of row i: logProbabilities is [rows, actions], entropies [rows].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Entropy(ReadOnlySpan<float> logProbabilities, Span<float> entropies)
    {
        var actions = ActionsOf(logProbabilities, entropies.Length);
        if (!Vector128.IsHardwareAccelerated)
        {
            ScalarKernels.Entropy(logProbabilities, entropies);
            return;
        }
        var columns = Scratch.PackedA.Rent(actions * BlockRows);
        var sums = stackalloc float[BlockRows];
        fixed (float* x = logProbabilities)
        {
            for (var i = 0; i < entropies.Length; i += BlockRows)
            {
                var rows = Load(x, actions, i, entropies.Length, columns);
                for (var r = 0; r < rows; r += Vector512<float>.Count)
                {
                    var sum = Vector512<float>.Zero;
                    for (var a = 0; a < actions; a++)
                    {
                        // Bounded, so that an impossible action adds 0 rather than 0 · ∞; rounding may give 1e-7 for log 1.
                        var log = Vector512.Load(columns + a * BlockRows + r);
                        log = Vector512.Min(Vector512<float>.Zero, Vector512.Max(Vector512.Create(-200f), log));
                        sum -= VectorMath.ExpOfNonPositive(log) * log;
                    }
                    sum.Store(sums + r);
                }
                new ReadOnlySpan<float>(sums, rows).CopyTo(entropies[i..]);
            }
        }
    }

    /// <summary>picked[i] = values[i, chosen[i]]: the log-probability, or the value, of the action taken.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An action is not one of the columns.</exception>
    public static void Gather(ReadOnlySpan<float> values, ReadOnlySpan<int> chosen, Span<float> picked)
        => ScalarKernels.Gather(values, chosen, picked);

    /// <summary>How many columns a matrix of so many rows has.</summary>
    internal static int ActionsOf(ReadOnlySpan<float> values, int rows)
    {
        if (rows == 0 ? values.Length != 0 : values.Length == 0 || values.Length % rows != 0)
        {
            throw new ArgumentException($"{values.Length} elements are not {rows} rows of one action or more.");
        }
        return rows == 0 ? 0 : values.Length / rows;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalize(ReadOnlySpan<float> logits, int actions, Span<float> y, bool isLog)
    {
        Lengths.CheckMultiple(logits.Length, actions);
        Lengths.CheckEqual(logits.Length, y.Length);
        if (logits.Length == 0) return;
        var count = logits.Length / actions;
        var block = Scratch.PackedA.Rent(actions * BlockRows);
        fixed (float* x = logits, to = y)
        {
            for (var i = 0; i < count; i += BlockRows)
            {
                var rows = Load(x, actions, i, count, block);
                for (var r = 0; r < rows; r += Vector512<float>.Count)
                {
                    var columns = block + r;
                    var maximum = Maximum(columns, actions);
                    if (isLog)
                    {
                        var total = Vector512<float>.Zero;
                        for (var a = 0; a < actions; a++)
                            total += VectorMath.ExpOfNonPositive(Vector512.Load(columns + a * BlockRows) - maximum);
                        var log = VectorMath.Log(total);
                        for (var a = 0; a < actions; a++)
                            (Vector512.Load(columns + a * BlockRows) - maximum - log).Store(columns + a * BlockRows);
                    }
                    else
                    {
                        var total = Exponentials(columns, actions, maximum);
                        for (var a = 0; a < actions; a++) (Vector512.Load(columns + a * BlockRows) / total).Store(columns + a * BlockRows);
                    }
                }
                Transposition.Run(actions, rows, block, BlockRows, to + (nint)i * actions, actions);
            }
        }
    }

    /// <summary>Transposes rows i … i + 63, as far as there are any, into columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Load(float* x, int actions, int i, int count, float* columns)
    {
        var rows = Math.Min(BlockRows, count - i);
        Transposition.Run(rows, actions, x + (nint)i * actions, actions, columns, BlockRows);
        return rows;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Maximum(float* columns, int actions)
    {
        var maximum = Vector512.Load(columns);
        for (var a = 1; a < actions; a++) maximum = Vector512.MaxNative(maximum, Vector512.Load(columns + a * BlockRows));
        return maximum;
    }

    /// <summary>Replaces columns by e^(x - maximum) and adds them up in ascending order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exponentials(float* columns, int actions, Vector512<float> maximum)
    {
        var total = Vector512<float>.Zero;
        for (var a = 0; a < actions; a++)
        {
            var e = VectorMath.ExpOfNonPositive(Vector512.Load(columns + a * BlockRows) - maximum);
            e.Store(columns + a * BlockRows);
            total += e;
        }
        return total;
    }
}

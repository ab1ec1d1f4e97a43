using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>What an <see cref="Lstm"/> does beside matrix products, for one row (one sample at one step) at a time.</summary>
/// <remarks>A row's gates are [4, H] in the order input, forget, cell, output (i, f, g, o), everything else is [H]. Each pass touches
/// its data once; an element's result does not depend on where it stands.</remarks>
public static unsafe partial class LstmGates
{
    private const int Lanes = 16;

    /// <summary>i, f, o = sigmoid, g = tanh of gates plus both biases; cell = f·cellBefore + i·g; cellTanh = tanh(cell);
    /// hidden = o·cellTanh. cell may be cellBefore.</summary>
    /// <param name="gates">[4, H]: products with the input and the hidden state, on return i, f, g, o.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(
        Span<float> gates, ReadOnlySpan<float> inputBias, ReadOnlySpan<float> hiddenBias, ReadOnlySpan<float> cellBefore,
        Span<float> cell, Span<float> cellTanh, Span<float> hidden)
    {
        var units = hidden.Length;
        Lengths.CheckEqual(gates.Length, 4 * units);
        Lengths.CheckEqual(inputBias.Length, 4 * units);
        Lengths.CheckEqual(hiddenBias.Length, 4 * units);
        Lengths.CheckEqual(cellBefore.Length, units);
        Lengths.CheckEqual(cell.Length, units);
        Lengths.CheckEqual(cellTanh.Length, units);
        if (!Vector128.IsHardwareAccelerated)
        {
            ForwardScalar(gates, inputBias, hiddenBias, cellBefore, cell, cellTanh, hidden);
            return;
        }
        fixed (float* g = gates, x = inputBias, y = hiddenBias, before = cellBefore, c = cell, t = cellTanh, h = hidden)
        {
            var j = 0;
            for (; j <= units - Lanes; j += Lanes) Forward(g + j, x + j, y + j, units, before + j, c + j, t + j, h + j);
            if (j < units) ForwardRest(units - j, g + j, x + j, y + j, units, before + j, c + j, t + j, h + j);
        }
    }

    /// <summary>From the gradient at hidden and at cell to that at the gates' sums and at cellBefore.</summary>
    /// <param name="gates">[4, H]: i, f, g, o, on return the gradient before the activations.</param>
    /// <param name="hiddenGradient">From the layer above at this step.</param>
    /// <param name="nextHiddenGradient">From the next step.</param>
    /// <param name="cellGradient">From the next step, on return for the step before, as if this one did not reset.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(
        Span<float> gates, ReadOnlySpan<float> cellBefore, ReadOnlySpan<float> cellTanh, ReadOnlySpan<float> hiddenGradient,
        ReadOnlySpan<float> nextHiddenGradient, Span<float> cellGradient)
    {
        var units = cellGradient.Length;
        Lengths.CheckEqual(gates.Length, 4 * units);
        Lengths.CheckEqual(cellBefore.Length, units);
        Lengths.CheckEqual(cellTanh.Length, units);
        Lengths.CheckEqual(hiddenGradient.Length, units);
        Lengths.CheckEqual(nextHiddenGradient.Length, units);
        if (!Vector128.IsHardwareAccelerated)
        {
            BackwardScalar(gates, cellBefore, cellTanh, hiddenGradient, nextHiddenGradient, cellGradient);
            return;
        }
        fixed (float* g = gates, before = cellBefore, t = cellTanh, dh = hiddenGradient, next = nextHiddenGradient, dc = cellGradient)
        {
            var j = 0;
            for (; j <= units - Lanes; j += Lanes) Backward(g + j, units, before + j, t + j, dh + j, next + j, dc + j);
            if (j < units) BackwardRest(units - j, g + j, units, before + j, t + j, dh + j, next + j, dc + j);
        }
    }

    /// <summary>Fewer than 16 units, by way of whole vectors beside them.</summary>
    private static void ForwardRest(
        int count, float* gates, float* x, float* y, int units, float* before, float* cell, float* cellTanh, float* hidden)
    {
        var padded = stackalloc float[15 * Lanes];
        float* pg = padded, px = pg + 4 * Lanes, py = px + 4 * Lanes, pc = py + 4 * Lanes, pt = pc + Lanes, ph = pt + Lanes;
        CopyGates(gates, units, pg, Lanes, count);
        CopyGates(x, units, px, Lanes, count);
        CopyGates(y, units, py, Lanes, count);
        Copy(before, pc, count);
        Forward(pg, px, py, Lanes, pc, pc, pt, ph);
        CopyGates(pg, Lanes, gates, units, count);
        Copy(pc, cell, count);
        Copy(pt, cellTanh, count);
        Copy(ph, hidden, count);
    }

    private static void BackwardRest(
        int count, float* gates, int units, float* before, float* cellTanh, float* dHidden, float* next, float* dCell)
    {
        var padded = stackalloc float[9 * Lanes];
        float* pg = padded, pb = pg + 4 * Lanes, pt = pb + Lanes, pd = pt + Lanes, pn = pd + Lanes, pc = pn + Lanes;
        CopyGates(gates, units, pg, Lanes, count);
        Copy(before, pb, count);
        Copy(cellTanh, pt, count);
        Copy(dHidden, pd, count);
        Copy(next, pn, count);
        Copy(dCell, pc, count);
        Backward(pg, Lanes, pb, pt, pd, pn, pc);
        CopyGates(pg, Lanes, gates, units, count);
        Copy(pc, dCell, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Forward(float* gates, float* x, float* y, nint units, float* before, float* cell, float* cellTanh, float* hidden)
    {
        float* f = gates + units, g = f + units, o = g + units;
        var input = VectorMath.Sigmoid(Vector512.Load(gates) + (Vector512.Load(x) + Vector512.Load(y)));
        var forget = VectorMath.Sigmoid(Vector512.Load(f) + (Vector512.Load(x + units) + Vector512.Load(y + units)));
        var candidate = VectorMath.Tanh(Vector512.Load(g) + (Vector512.Load(x + 2 * units) + Vector512.Load(y + 2 * units)));
        var output = VectorMath.Sigmoid(Vector512.Load(o) + (Vector512.Load(x + 3 * units) + Vector512.Load(y + 3 * units)));
        var sum = forget * Vector512.Load(before) + input * candidate;
        var bounded = VectorMath.Tanh(sum);
        input.Store(gates);
        forget.Store(f);
        candidate.Store(g);
        output.Store(o);
        sum.Store(cell);
        bounded.Store(cellTanh);
        (output * bounded).Store(hidden);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Backward(float* gates, nint units, float* before, float* cellTanh, float* dHidden, float* next, float* dCell)
    {
        var one = Vector512<float>.One;
        float* f = gates + units, g = f + units, o = g + units;
        Vector512<float> input = Vector512.Load(gates), forget = Vector512.Load(f);
        Vector512<float> candidate = Vector512.Load(g), output = Vector512.Load(o);
        var dh = Vector512.Load(dHidden) + Vector512.Load(next);
        var bounded = Vector512.Load(cellTanh);
        var dc = Vector512.Load(dCell) + dh * output * (one - bounded * bounded);
        (dc * candidate * (input * (one - input))).Store(gates);
        (dc * Vector512.Load(before) * (forget * (one - forget))).Store(f);
        (dc * input * (one - candidate * candidate)).Store(g);
        (dh * bounded * (output * (one - output))).Store(o);
        (dc * forget).Store(dCell);
    }

    private static void Copy(float* from, float* to, int count) => new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));

    private static void CopyGates(float* from, int fromStride, float* to, int toStride, int count)
    {
        for (var gate = 0; gate < 4; gate++) Copy(from + gate * fromStride, to + gate * toStride, count);
    }
}

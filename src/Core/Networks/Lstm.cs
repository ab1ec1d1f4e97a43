using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>A layer with memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000), over the steps of unrolls.</summary>
/// <remarks>
/// i, f, o = σ(x·Wx + h·Wh + bx + bh), g = tanh of the same;   c' = f∘c + i∘g,   h' = o∘tanh(c').
/// Parameters "name.weight_ih" [I, 4H], "name.weight_hh" [H, 4H], "name.bias_ih" and "name.bias_hh" [4H], columns in the order i, f, g, o:
/// PyTorch's, transposed. Rows are ordered [step][environment]; a sample's state is h, then c: 2H floats.
/// reset[t][b] sets the state of b to zero before step t, and no gradient flows past it.
/// Immutable; threads share it, each with its own <see cref="LstmBuffers"/>. A row's results do not depend on its batch.
/// </remarks>
public sealed class Lstm
{
    private readonly ParameterSlot _inputWeight;
    private readonly ParameterSlot _hiddenWeight;
    private readonly ParameterSlot _inputBias;
    private readonly ParameterSlot _hiddenBias;

    public Lstm(ParameterLayoutBuilder layout, string name, int inputs, int units)
    {
        (Inputs, Units) = (inputs, units);
        _inputWeight = layout.Add($"{name}.weight_ih", inputs, Gates);
        _hiddenWeight = layout.Add($"{name}.weight_hh", units, Gates);
        _inputBias = layout.Add($"{name}.bias_ih", Gates);
        _hiddenBias = layout.Add($"{name}.bias_hh", Gates);
    }

    /// <summary>I.</summary>
    public int Inputs { get; }

    /// <summary>H.</summary>
    public int Units { get; }

    /// <summary>Floats of a sample's state.</summary>
    public int StateSize => 2 * Units;

    public long FlopsPerSample => 2L * (Inputs + Units) * Gates;

    private int Gates => 4 * Units;

    public LstmBuffers CreateBuffers(int maxRows, int maxEnvironments, bool training) => new(this, maxRows, maxEnvironments, training);

    /// <summary>Each gate's weights as those of a layer of its own with gain 1 and fan-in I or H; biases 0. With
    /// <see cref="Initializer.Torch"/> everything is uniform within ±1/√H, as in PyTorch.</summary>
    public void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random)
    {
        FillGates(initializer, Inputs, _inputWeight.Of(parameters), _inputBias.Of(parameters), ref random);
        FillGates(initializer, Units, _hiddenWeight.Of(parameters), _hiddenBias.Of(parameters), ref random);
    }

    /// <summary>Runs consecutive steps; the first one's rows start at <paramref name="firstRow"/> of the buffers.</summary>
    /// <param name="input">[steps × B × I].</param>
    /// <param name="reset">[steps × B].</param>
    /// <param name="state">[B × 2H], before the first step and on return after the last.</param>
    /// <param name="output">[steps × B × H].</param>
    public void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<bool> reset, Span<float> state, Span<float> output,
        int firstRow, LstmBuffers buffers)
    {
        var (rows, environments) = (reset.Length, state.Length / StateSize);
        reset.CopyTo(buffers.Reset.AsSpan(firstRow));
        Gemm.Multiply(rows, Gates, Inputs, input, false, _inputWeight.Read(parameters), false,
            buffers.Gates.AsSpan(firstRow * Gates, rows * Gates), accumulate: false);
        for (var row = 0; row < rows; row += environments)
            Step(parameters, state, output.Slice(row * Units, environments * Units), firstRow + row, buffers);
    }

    /// <summary>Back-propagates through the buffers' first rows; once a forward pass, since it works in place.</summary>
    /// <param name="input">[steps × B × I], that of the forward pass.</param>
    /// <param name="outputGradient">[steps × B × H].</param>
    /// <param name="stateGradient">[B × 2H]: at the state after the last step, on return at that before the first, if
    /// <paramref name="toInitialState"/> (else destroyed).</param>
    /// <param name="inputGradient">[steps × B × I], overwritten.</param>
    /// <param name="gradient">Gradient of all parameters; this layer's part is added to.</param>
    public void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> outputGradient, Span<float> stateGradient,
        bool toInitialState, Span<float> inputGradient, Span<float> gradient, LstmBuffers buffers)
    {
        var (rows, environments) = (outputGradient.Length / Units, stateGradient.Length / StateSize);
        var transposed = buffers.TransposedWeight.AsSpan();
        Transposition.Run(Units, Gates, _hiddenWeight.Read(parameters), transposed);
        for (var row = rows - environments; row >= 0; row -= environments)
        {
            BackwardStep(outputGradient, stateGradient, row, buffers);
            if (row == 0 && !toInitialState) break;
            Gemm.Multiply(
                environments, Units, Gates, buffers.Gates.AsSpan(row * Gates, environments * Gates), Gates, false, transposed, Units, false,
                stateGradient, StateSize, accumulate: false);
            for (var b = 0; b < environments; b++)
            {
                if (buffers.Reset[row + b]) stateGradient.Slice(b * StateSize, StateSize).Clear();
            }
        }
        var gates = buffers.Gates.AsSpan(0, rows * Gates);
        Gemm.Multiply(Inputs, Gates, rows, input, true, gates, false, _inputWeight.Of(gradient), accumulate: true);
        Gemm.Multiply(Units, Gates, rows, buffers.HiddenBefore.AsSpan(0, rows * Units), true, gates, false, _hiddenWeight.Of(gradient),
            accumulate: true);
        Gemm.Multiply(rows, Inputs, Gates, gates, false, _inputWeight.Read(parameters), true, inputGradient, accumulate: false);
        var biasGradient = buffers.BiasGradient.AsSpan();
        VectorOps.ColumnSums(gates, biasGradient, accumulate: false);
        VectorOps.Axpy(1, biasGradient, _inputBias.Of(gradient));
        VectorOps.Axpy(1, biasGradient, _hiddenBias.Of(gradient));
    }

    private void Step(ReadOnlySpan<float> parameters, Span<float> state, Span<float> output, int row, LstmBuffers buffers)
    {
        var environments = state.Length / StateSize;
        var hidden = buffers.HiddenBefore.AsSpan(row * Units, environments * Units);
        for (var b = 0; b < environments; b++)
        {
            var own = state.Slice(b * StateSize, StateSize);
            if (buffers.Reset[row + b]) own.Clear();
            own[..Units].CopyTo(hidden[(b * Units)..]);
            own[Units..].CopyTo(buffers.CellBefore.AsSpan((row + b) * Units, Units));
        }
        var gates = buffers.Gates.AsSpan(row * Gates, environments * Gates);
        Gemm.Multiply(environments, Gates, Units, hidden, false, _hiddenWeight.Read(parameters), false, gates, accumulate: true);
        var inputBias = _inputBias.Read(parameters);
        var hiddenBias = _hiddenBias.Read(parameters);
        for (var b = 0; b < environments; b++)
        {
            var own = state.Slice(b * StateSize, StateSize);
            var place = (row + b) * Units;
            var hiddenAfter = output.Slice(b * Units, Units);
            LstmGates.Forward(
                gates.Slice(b * Gates, Gates), inputBias, hiddenBias, buffers.CellBefore.AsSpan(place, Units), own[Units..],
                buffers.CellTanh.AsSpan(place, Units), hiddenAfter);
            hiddenAfter.CopyTo(own);
        }
    }

    private void BackwardStep(ReadOnlySpan<float> outputGradient, Span<float> stateGradient, int firstRow, LstmBuffers buffers)
    {
        for (var b = 0; b < stateGradient.Length / StateSize; b++)
        {
            var row = firstRow + b;
            var own = stateGradient.Slice(b * StateSize, StateSize);
            LstmGates.Backward(
                buffers.Gates.AsSpan(row * Gates, Gates), buffers.CellBefore.AsSpan(row * Units, Units),
                buffers.CellTanh.AsSpan(row * Units, Units), outputGradient.Slice(row * Units, Units), own[..Units], own[Units..]);
        }
    }

    private void FillGates(Initializer initializer, int fanIn, Span<float> weight, Span<float> bias, ref RandomStream random)
    {
        var gate = new float[fanIn * Units];
        // PyTorch's bound is that of a layer of H inputs, whatever I is.
        var scale = initializer == Initializer.Torch ? MathF.Sqrt((float)fanIn / Units) : 1;
        for (var first = 0; first < Gates; first += Units)
        {
            WeightInitializer.Fill(initializer, fanIn, gain: 1, gate, bias.Slice(first, Units), ref random);
            for (var i = 0; i < gate.Length; i++) weight[i / Units * Gates + first + i % Units] = scale * gate[i];
            foreach (ref var b in bias.Slice(first, Units)) b *= scale;
        }
    }
}

/// <summary>Working memory of one caller of an <see cref="Lstm"/>.</summary>
public sealed class LstmBuffers
{
    internal LstmBuffers(Lstm lstm, int maxRows, int maxEnvironments, bool training)
    {
        var (units, gates) = (lstm.Units, 4 * lstm.Units);
        Reset = new bool[maxRows];
        Gates = new AlignedFloats(maxRows * gates);
        HiddenBefore = new AlignedFloats(maxRows * units);
        CellBefore = new AlignedFloats(maxRows * units);
        CellTanh = new AlignedFloats(maxRows * units);
        StateGradient = new AlignedFloats(training ? maxEnvironments * lstm.StateSize : 0);
        TransposedWeight = new AlignedFloats(training ? units * gates : 0);
        BiasGradient = new AlignedFloats(training ? gates : 0);
    }

    /// <summary>[rows].</summary>
    internal bool[] Reset { get; }

    /// <summary>[rows × 4H]: i, f, g, o; later the gradient at their sums.</summary>
    internal AlignedFloats Gates { get; }

    /// <summary>[rows × H], after the reset.</summary>
    internal AlignedFloats HiddenBefore { get; }

    /// <summary>[rows × H], after the reset.</summary>
    internal AlignedFloats CellBefore { get; }

    /// <summary>[rows × H].</summary>
    internal AlignedFloats CellTanh { get; }

    /// <summary>[environments × 2H], room for the caller.</summary>
    internal AlignedFloats StateGradient { get; }

    /// <summary>[4H, H]: one transposition a backward pass instead of one a step.</summary>
    internal AlignedFloats TransposedWeight { get; }

    /// <summary>[4H].</summary>
    internal AlignedFloats BiasGradient { get; }
}

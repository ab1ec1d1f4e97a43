namespace Rl.Distributed.Core.Networks;

public static unsafe partial class LstmGates
{
    /// <summary>What Forward computes.</summary>
    public static void ForwardScalar(
        Span<float> gates, ReadOnlySpan<float> inputBias, ReadOnlySpan<float> hiddenBias, ReadOnlySpan<float> cellBefore,
        Span<float> cell, Span<float> cellTanh, Span<float> hidden)
    {
        var units = hidden.Length;
        for (var j = 0; j < gates.Length; j++)
        {
            var sum = gates[j] + (inputBias[j] + hiddenBias[j]);
            gates[j] = j / units == 2 ? MathF.Tanh(sum) : 1 / (1 + MathF.Exp(-sum));
        }
        for (var j = 0; j < units; j++)
        {
            cell[j] = gates[units + j] * cellBefore[j] + gates[j] * gates[2 * units + j];
            cellTanh[j] = MathF.Tanh(cell[j]);
            hidden[j] = gates[3 * units + j] * cellTanh[j];
        }
    }

    /// <summary>What Backward computes.</summary>
    public static void BackwardScalar(
        Span<float> gates, ReadOnlySpan<float> cellBefore, ReadOnlySpan<float> cellTanh, ReadOnlySpan<float> hiddenGradient,
        ReadOnlySpan<float> nextHiddenGradient, Span<float> cellGradient)
    {
        var units = cellGradient.Length;
        for (var j = 0; j < units; j++)
        {
            var (i, f, g, o) = (gates[j], gates[units + j], gates[2 * units + j], gates[3 * units + j]);
            var dh = hiddenGradient[j] + nextHiddenGradient[j];
            var dc = cellGradient[j] + dh * o * (1 - cellTanh[j] * cellTanh[j]);
            gates[j] = dc * g * (i * (1 - i));
            gates[units + j] = dc * cellBefore[j] * (f * (1 - f));
            gates[2 * units + j] = dc * i * (1 - g * g);
            gates[3 * units + j] = dh * cellTanh[j] * (o * (1 - o));
            cellGradient[j] = dc * f;
        }
    }
}

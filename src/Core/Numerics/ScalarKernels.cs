using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>The element kernels written plainly: the meaning of the vectorised ones, and what runs without vectors.</summary>
public static class ScalarKernels
{
    /// <inheritdoc cref="Activations.AddBias"/>
    public static void AddBias(Span<float> x, ReadOnlySpan<float> bias)
    {
        Lengths.CheckMultiple(x.Length, bias.Length);
        for (var i = 0; i < x.Length; i++) x[i] += bias[i % bias.Length];
    }

    /// <inheritdoc cref="Activations.AddBiasRelu"/>
    public static void AddBiasRelu(Span<float> x, ReadOnlySpan<float> bias)
    {
        Lengths.CheckMultiple(x.Length, bias.Length);
        for (var i = 0; i < x.Length; i++) x[i] = MathF.Max(0, x[i] + bias[i % bias.Length]);
    }

    /// <inheritdoc cref="Activations.ReluBackward"/>
    public static void ReluBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx)
    {
        for (var i = 0; i < y.Length; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
    }

    /// <inheritdoc cref="Activations.TanhBackward"/>
    public static void TanhBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx)
    {
        for (var i = 0; i < y.Length; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
    }

    /// <inheritdoc cref="Activations.SigmoidBackward"/>
    public static void SigmoidBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx)
    {
        for (var i = 0; i < y.Length; i++) dx[i] = dy[i] * (y[i] * (1 - y[i]));
    }

    /// <inheritdoc cref="VectorOps.Axpy"/>
    public static void Axpy(float alpha, ReadOnlySpan<float> x, Span<float> y)
    {
        for (var i = 0; i < x.Length; i++) y[i] += alpha * x[i];
    }

    /// <inheritdoc cref="VectorOps.Dot"/>
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var sum = 0.0;
        for (var i = 0; i < x.Length; i++) sum += (double)x[i] * y[i];
        return sum;
    }

    /// <inheritdoc cref="VectorOps.ColumnSums"/>
    public static void ColumnSums(ReadOnlySpan<float> x, Span<float> sums, bool accumulate)
    {
        Lengths.CheckMultiple(x.Length, sums.Length);
        if (!accumulate) sums.Clear();
        for (var i = 0; i < x.Length; i++) sums[i % sums.Length] += x[i];
    }

    /// <inheritdoc cref="Categorical.LogSoftmax"/>
    public static void LogSoftmax(ReadOnlySpan<float> logits, int actions, Span<float> logProbabilities)
    {
        Lengths.CheckMultiple(logits.Length, actions);
        Lengths.CheckEqual(logits.Length, logProbabilities.Length);
        for (var i = 0; i < logits.Length; i += actions)
        {
            var row = logits.Slice(i, actions);
            var (maximum, total) = (Maximum(row), 0f);
            foreach (var x in row) total += MathF.Exp(x - maximum);
            for (var a = 0; a < actions; a++) logProbabilities[i + a] = logits[i + a] - maximum - MathF.Log(total);
        }
    }

    /// <inheritdoc cref="Categorical.Softmax"/>
    public static void Softmax(ReadOnlySpan<float> logits, int actions, Span<float> probabilities)
    {
        Lengths.CheckMultiple(logits.Length, actions);
        Lengths.CheckEqual(logits.Length, probabilities.Length);
        for (var i = 0; i < logits.Length; i += actions)
        {
            var row = logits.Slice(i, actions);
            var (maximum, total) = (Maximum(row), 0f);
            foreach (var x in row) total += MathF.Exp(x - maximum);
            for (var a = 0; a < actions; a++) probabilities[i + a] = MathF.Exp(logits[i + a] - maximum) / total;
        }
    }

    /// <inheritdoc cref="Categorical.Sample"/>
    public static void Sample(ReadOnlySpan<float> logits, ReadOnlySpan<float> uniforms, Span<int> chosen)
    {
        Lengths.CheckEqual(uniforms.Length, chosen.Length);
        var actions = Categorical.ActionsOf(logits, chosen.Length);
        for (var i = 0; i < chosen.Length; i++)
        {
            var row = logits.Slice(i * actions, actions);
            var (maximum, total, sum) = (Maximum(row), 0f, 0f);
            foreach (var x in row) total += MathF.Exp(x - maximum);
            var threshold = uniforms[i] * total;
            chosen[i] = 0;
            foreach (var x in row)
            {
                sum += MathF.Exp(x - maximum);
                if (sum <= threshold && sum < total) chosen[i]++;
            }
        }
    }

    /// <inheritdoc cref="Categorical.ArgMax"/>
    public static void ArgMax(ReadOnlySpan<float> values, Span<int> chosen)
    {
        var actions = Categorical.ActionsOf(values, chosen.Length);
        for (var i = 0; i < chosen.Length; i++)
        {
            var row = values.Slice(i * actions, actions);
            var best = 0;
            for (var a = 1; a < actions; a++)
            {
                if (row[a] > row[best]) best = a;
            }
            chosen[i] = best;
        }
    }

    /// <inheritdoc cref="Categorical.Entropy"/>
    public static void Entropy(ReadOnlySpan<float> logProbabilities, Span<float> entropies)
    {
        var actions = Categorical.ActionsOf(logProbabilities, entropies.Length);
        for (var i = 0; i < entropies.Length; i++)
        {
            var sum = 0f;
            foreach (var log in logProbabilities.Slice(i * actions, actions)) sum -= MathF.Exp(log) * MathF.Min(0, MathF.Max(-200f, log));
            entropies[i] = sum;
        }
    }

    /// <inheritdoc cref="Categorical.Gather"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(ReadOnlySpan<float> values, ReadOnlySpan<int> chosen, Span<float> picked)
    {
        Lengths.CheckEqual(chosen.Length, picked.Length);
        var actions = Categorical.ActionsOf(values, chosen.Length);
        for (var i = 0; i < chosen.Length; i++)
        {
            if ((uint)chosen[i] >= (uint)actions)
            {
                throw new ArgumentOutOfRangeException(nameof(chosen), $"Row {i} chose action {chosen[i]} of {actions}.");
            }
            picked[i] = values[i * actions + chosen[i]];
        }
    }

    /// <inheritdoc cref="Conversions.BytesToSingle"/>
    public static void BytesToSingle(ReadOnlySpan<byte> bytes, float scale, Span<float> x)
    {
        for (var i = 0; i < bytes.Length; i++) x[i] = bytes[i] * scale;
    }

    /// <inheritdoc cref="Conversions.BitsToSingle"/>
    public static void BitsToSingle(ReadOnlySpan<byte> bits, Span<float> x)
    {
        for (var i = 0; i < x.Length; i++) x[i] = bits[i / 8] >> (i % 8) & 1;
    }

    private static float Maximum(ReadOnlySpan<float> row)
    {
        var maximum = row[0];
        foreach (var x in row) maximum = MathF.Max(maximum, x);
        return maximum;
    }
}

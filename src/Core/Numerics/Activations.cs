using System.Runtime.Intrinsics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Biases and activation functions, forward and backward.</summary>
/// <remarks>Spans have equal lengths unless a shape is given; an output may be the same span as an input, but not
/// overlap it otherwise. An element's result does not depend on where it stands. The scalar twins are in
/// <see cref="ScalarKernels"/>.</remarks>
/// <exception cref="ArgumentException">The lengths do not fit together.</exception>
public static class Activations
{
    /// <summary>x[i, j] += bias[j]: x is [rows, bias.Length].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void AddBias(Span<float> x, ReadOnlySpan<float> bias)
    {
        Lengths.CheckMultiple(x.Length, bias.Length);
        fixed (float* start = x, add = bias)
        {
            for (float* row = start, end = start + x.Length; row < end; row += bias.Length)
            {
                var j = 0;
                if (Vector128.IsHardwareAccelerated)
                {
                    for (; j <= bias.Length - 16; j += 16) (Vector512.Load(row + j) + Vector512.Load(add + j)).Store(row + j);
                    for (; j <= bias.Length - 4; j += 4) (Vector128.Load(row + j) + Vector128.Load(add + j)).Store(row + j);
                }
                for (; j < bias.Length; j++) row[j] += add[j];
            }
        }
    }

    /// <summary>x[i, j] = max(0, x[i, j] + bias[j]): x is [rows, bias.Length].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void AddBiasRelu(Span<float> x, ReadOnlySpan<float> bias)
    {
        Lengths.CheckMultiple(x.Length, bias.Length);
        fixed (float* start = x, add = bias)
        {
            for (float* row = start, end = start + x.Length; row < end; row += bias.Length)
            {
                var j = 0;
                if (Vector128.IsHardwareAccelerated)
                {
                    for (; j <= bias.Length - 16; j += 16)
                        ReluFunction.Of(Vector512.Load(row + j) + Vector512.Load(add + j)).Store(row + j);
                }
                for (; j < bias.Length; j++) row[j] = ReluFunction.Of(row[j] + add[j]);
            }
        }
    }

    /// <summary>y = max(0, x).</summary>
    public static void Relu(ReadOnlySpan<float> x, Span<float> y) => Map<ReluFunction>(x, y);

    /// <summary>dx = dy where y > 0, else 0: y is the output of the forward pass.</summary>
    public static void ReluBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx) => Map<ReluGradient>(y, dy, dx);

    /// <summary>y = tanh x, to 4 ulp.</summary>
    public static void Tanh(ReadOnlySpan<float> x, Span<float> y) => Map<TanhFunction>(x, y);

    /// <summary>dx = dy (1 - y²): y is the output of the forward pass.</summary>
    public static void TanhBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx) => Map<TanhGradient>(y, dy, dx);

    /// <summary>y = 1 / (1 + e^-x), to 4 ulp.</summary>
    public static void Sigmoid(ReadOnlySpan<float> x, Span<float> y) => Map<SigmoidFunction>(x, y);

    /// <summary>dx = dy y (1 - y): y is the output of the forward pass.</summary>
    public static void SigmoidBackward(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx) => Map<SigmoidGradient>(y, dy, dx);

    /// <summary>y = e^x, to 2 ulp.</summary>
    public static void Exp(ReadOnlySpan<float> x, Span<float> y) => Map<ExpFunction>(x, y);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IFunction
    {
        Lengths.CheckEqual(x.Length, y.Length);
        if (!Vector128.IsHardwareAccelerated)
        {
            for (var i = 0; i < x.Length; i++) y[i] = TFunction.Of(x[i]);
            return;
        }
        ref float from = ref MemoryMarshal.GetReference(x), to = ref MemoryMarshal.GetReference(y);
        var (count, width) = ((nuint)x.Length, (nuint)Vector512<float>.Count);
        nuint done = 0;
        for (; done + width <= count; done += width) TFunction.Of(Vector512.LoadUnsafe(ref from, done)).StoreUnsafe(ref to, done);
        if (done == count) return;
        Span<float> padded = stackalloc float[Vector512<float>.Count];
        x[(int)done..].CopyTo(padded);
        TFunction.Of(Vector512.Create((ReadOnlySpan<float>)padded)).CopyTo(padded);
        padded[..(x.Length - (int)done)].CopyTo(y[(int)done..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TGradient>(ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx)
        where TGradient : struct, IGradient
    {
        Lengths.CheckEqual(y.Length, dy.Length);
        Lengths.CheckEqual(y.Length, dx.Length);
        ref float from = ref MemoryMarshal.GetReference(y), gradient = ref MemoryMarshal.GetReference(dy),
            to = ref MemoryMarshal.GetReference(dx);
        var i = 0;
        for (; Vector128.IsHardwareAccelerated && i <= y.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            TGradient.Of(Vector512.LoadUnsafe(ref from, (nuint)i), Vector512.LoadUnsafe(ref gradient, (nuint)i))
                .StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < y.Length; i++) dx[i] = TGradient.Of(y[i], dy[i]);
    }

    private interface IFunction
    {
        static abstract Vector512<float> Of(Vector512<float> x);

        static abstract float Of(float x);
    }

    private interface IGradient
    {
        static abstract Vector512<float> Of(Vector512<float> y, Vector512<float> dy);

        static abstract float Of(float y, float dy);
    }

    private readonly struct ReluFunction : IFunction
    {
        public static Vector512<float> Of(Vector512<float> x) => Vector512.MaxNative(Vector512<float>.Zero, x);

        public static float Of(float x) => x < 0 ? 0 : x;
    }

    private readonly struct TanhFunction : IFunction
    {
        public static Vector512<float> Of(Vector512<float> x) => VectorMath.Tanh(x);

        public static float Of(float x) => MathF.Tanh(x);
    }

    private readonly struct SigmoidFunction : IFunction
    {
        public static Vector512<float> Of(Vector512<float> x) => VectorMath.Sigmoid(x);

        public static float Of(float x) => 1 / (1 + MathF.Exp(-x));
    }

    private readonly struct ExpFunction : IFunction
    {
        public static Vector512<float> Of(Vector512<float> x) => VectorMath.Exp(x);

        public static float Of(float x) => MathF.Exp(x);
    }

    private readonly struct ReluGradient : IGradient
    {
        public static Vector512<float> Of(Vector512<float> y, Vector512<float> dy)
            => Vector512.ConditionalSelect(Vector512.GreaterThan(y, Vector512<float>.Zero), dy, Vector512<float>.Zero);

        public static float Of(float y, float dy) => y > 0 ? dy : 0;
    }

    private readonly struct TanhGradient : IGradient
    {
        public static Vector512<float> Of(Vector512<float> y, Vector512<float> dy) => dy * (Vector512<float>.One - y * y);

        public static float Of(float y, float dy) => dy * (1 - y * y);
    }

    private readonly struct SigmoidGradient : IGradient
    {
        public static Vector512<float> Of(Vector512<float> y, Vector512<float> dy) => dy * (y * (Vector512<float>.One - y));

        public static float Of(float y, float dy) => dy * (y * (1 - y));
    }
}

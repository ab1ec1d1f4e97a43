namespace Rl.Distributed.Core.Numerics;

/// <summary>c = op(a)·op(b) computed as (op(b)ᵀ·op(a)ᵀ)ᵀ, where that needs less packing or padding.</summary>
/// <remarks>The order of summation, and so every bit of the result, is the same.</remarks>
internal static unsafe class SwappedGemm
{
    public static bool IsFaster(int m, int n, int k, bool transposeA, bool transposeB)
    {
        // aᵀ·b, the gradient of weights: few columns (a head) would leave vectors empty; and what takes the place of b
        // needs no transposition while it is packed.
        if (transposeA && !transposeB) return n < 16 ? m > n : n <= 64 && m > 40 && m >= 2 * n;

        // a·bᵀ, the gradient of inputs: of a small batch, less is transposed this way, if it fills whole vectors.
        return transposeB && !transposeA && (m > 32 || m is 16 or 32) && (long)n * k > 2L * m * (n + k);
    }

    public static void Multiply(
        CpuPath path, int m, int n, int k, float* a, int aStride, bool transposeA, float* b, int bStride, bool transposeB,
        float* c, int cStride, bool accumulate)
    {
        var result = Scratch.Result.Rent(m * n);
        if (accumulate) Transposition.Run(m, n, c, cStride, result, m);
        Gemm.Blocked(path, n, m, k, b, bStride, !transposeB, a, aStride, !transposeA, result, m, accumulate);
        Transposition.Run(n, m, result, m, c, cStride);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Philox4x32-10 for 16 consecutive blocks at once (AVX-512) or 8 (AVX2): a block a lane.</summary>
internal static unsafe class PhiloxVector
{
    /// <summary>How many blocks are made at once; 0 where only the scalar code is worth it.</summary>
    public static int Blocks => Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 0;

    /// <summary>The numbers in [0, 1) of <see cref="Blocks"/> blocks, in the order in which a stream draws them.</summary>
    public static void Uniforms(ulong block, uint c2, uint c3, uint k0, uint k1, float* to)
    {
        if (Avx512F.IsSupported) Wide(block, c2, c3, k0, k1, to);
        else Middle(block, c2, c3, k0, k1, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide(ulong block, uint c2, uint c3, uint k0, uint k1, float* to)
    {
        var x0 = Vector512.Create((uint)block) + Vector512<uint>.Indices;
        var carry = Vector512.LessThan(x0, Vector512.Create((uint)block));
        var x1 = Vector512.Create((uint)(block >> 32)) - carry;
        Vector512<uint> x2 = Vector512.Create(c2), x3 = Vector512.Create(c3);
        for (var round = 0; round < 10; round++)
        {
            var (high0, low0) = Product(x0, 0xD2511F53);
            var (high1, low1) = Product(x2, 0xCD9E8D57);
            (x0, x1, x2, x3) = (high1 ^ x1 ^ Vector512.Create(k0), low1, high0 ^ x3 ^ Vector512.Create(k1), low0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }

        // Each 128-bit lane of the unpacked vectors holds a whole block: blocks 0, 4, 8, 12 in the first.
        Vector512<ulong> low01 = Avx512F.UnpackLow(x0, x1).AsUInt64(), high01 = Avx512F.UnpackHigh(x0, x1).AsUInt64();
        Vector512<ulong> low23 = Avx512F.UnpackLow(x2, x3).AsUInt64(), high23 = Avx512F.UnpackHigh(x2, x3).AsUInt64();
        Vector512<uint> a = Avx512F.UnpackLow(low01, low23).AsUInt32(), b = Avx512F.UnpackHigh(low01, low23).AsUInt32();
        Vector512<uint> c = Avx512F.UnpackLow(high01, high23).AsUInt32(), d = Avx512F.UnpackHigh(high01, high23).AsUInt32();
        Vector512<uint> abEven = Avx512F.Shuffle4x128(a, b, 0x88), abOdd = Avx512F.Shuffle4x128(a, b, 0xDD);
        Vector512<uint> cdEven = Avx512F.Shuffle4x128(c, d, 0x88), cdOdd = Avx512F.Shuffle4x128(c, d, 0xDD);
        Store(Avx512F.Shuffle4x128(abEven, cdEven, 0x88), to);
        Store(Avx512F.Shuffle4x128(abOdd, cdOdd, 0x88), to + 16);
        Store(Avx512F.Shuffle4x128(abEven, cdEven, 0xDD), to + 32);
        Store(Avx512F.Shuffle4x128(abOdd, cdOdd, 0xDD), to + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Middle(ulong block, uint c2, uint c3, uint k0, uint k1, float* to)
    {
        var x0 = Vector256.Create((uint)block) + Vector256<uint>.Indices;
        var carry = Vector256.LessThan(x0, Vector256.Create((uint)block));
        var x1 = Vector256.Create((uint)(block >> 32)) - carry;
        Vector256<uint> x2 = Vector256.Create(c2), x3 = Vector256.Create(c3);
        for (var round = 0; round < 10; round++)
        {
            var (high0, low0) = Product(x0, 0xD2511F53);
            var (high1, low1) = Product(x2, 0xCD9E8D57);
            (x0, x1, x2, x3) = (high1 ^ x1 ^ Vector256.Create(k0), low1, high0 ^ x3 ^ Vector256.Create(k1), low0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        Vector256<ulong> low01 = Avx2.UnpackLow(x0, x1).AsUInt64(), high01 = Avx2.UnpackHigh(x0, x1).AsUInt64();
        Vector256<ulong> low23 = Avx2.UnpackLow(x2, x3).AsUInt64(), high23 = Avx2.UnpackHigh(x2, x3).AsUInt64();
        Vector256<uint> a = Avx2.UnpackLow(low01, low23).AsUInt32(), b = Avx2.UnpackHigh(low01, low23).AsUInt32();
        Vector256<uint> c = Avx2.UnpackLow(high01, high23).AsUInt32(), d = Avx2.UnpackHigh(high01, high23).AsUInt32();
        Store(Avx2.Permute2x128(a, b, 0x20), to);
        Store(Avx2.Permute2x128(c, d, 0x20), to + 8);
        Store(Avx2.Permute2x128(a, b, 0x31), to + 16);
        Store(Avx2.Permute2x128(c, d, 0x31), to + 24);
    }

    /// <summary>The halves of the 64-bit products of every lane: even and odd lanes are multiplied apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> High, Vector512<uint> Low) Product(Vector512<uint> x, uint factor)
    {
        var m = Vector512.Create(factor);
        var even = Avx512F.Multiply(x, m);
        var odd = Avx512F.Multiply(Vector512.ShiftRightLogical(x.AsUInt64(), 32).AsUInt32(), m);
        var oddLanes = Vector512.Create(0xFFFFFFFF_00000000ul);
        var high = Vector512.ConditionalSelect(oddLanes, odd, Vector512.ShiftRightLogical(even, 32));
        return (high.AsUInt32(), x * m);
    }

    /// <inheritdoc cref="Product(Vector512{uint}, uint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> High, Vector256<uint> Low) Product(Vector256<uint> x, uint factor)
    {
        var m = Vector256.Create(factor);
        var even = Avx2.Multiply(x, m);
        var odd = Avx2.Multiply(Vector256.ShiftRightLogical(x.AsUInt64(), 32).AsUInt32(), m);
        var high = Avx2.Blend(Vector256.ShiftRightLogical(even, 32).AsUInt32(), odd.AsUInt32(), 0b1010_1010);
        return (high, x * m);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<uint> words, float* to)
        => (Vector512.ConvertToSingle(Vector512.ShiftRightLogical(words, 8).AsInt32()) * (1f / (1 << 24))).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<uint> words, float* to)
        => (Vector256.ConvertToSingle(Vector256.ShiftRightLogical(words, 8).AsInt32()) * (1f / (1 << 24))).Store(to);
}

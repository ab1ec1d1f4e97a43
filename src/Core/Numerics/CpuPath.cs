using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>The instruction sets that kernels are written for, from plain to wide.</summary>
public enum CpuPath
{
    /// <summary>No vectors: the reference, and what runs where intrinsics are switched off.</summary>
    Scalar = 0,

    /// <summary>128-bit vectors of any machine.</summary>
    Portable = 1,

    /// <summary>256-bit vectors with fused multiply-add (x86).</summary>
    Avx2 = 2,

    /// <summary>512-bit vectors (x86).</summary>
    Avx512 = 3,
}

/// <summary>Which paths this process can run.</summary>
public static class CpuPaths
{
    /// <summary>The widest path that the CPU has and the runtime's settings leave on.</summary>
    public static CpuPath Current =>
        Avx512F.IsSupported ? CpuPath.Avx512
        : Avx2.IsSupported && Fma.IsSupported ? CpuPath.Avx2
        : Vector128.IsHardwareAccelerated ? CpuPath.Portable
        : CpuPath.Scalar;

    /// <summary>Whether a path can run here: each one up to <see cref="Current"/>.</summary>
    public static bool IsSupported(CpuPath path) => path <= Current;
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Networks;

/// <summary>A vector of floats of one width; a type argument for loops that keep many vectors in registers, which
/// <see cref="Vector512{T}"/> cannot where the CPU has none.</summary>
internal interface ILanes<T>
    where T : ILanes<T>
{
    static abstract int Count { get; }

    static abstract T Load(ref float source, nuint offset);

    static abstract T operator +(T a, T b);

    /// <summary>target[offset …] = max(this, 0); NaN stays NaN.</summary>
    void StoreRectified(ref float target, nuint offset);
}

internal readonly struct SixteenLanes(Vector512<float> value) : ILanes<SixteenLanes>
{
    private readonly Vector512<float> _value = value;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenLanes Load(ref float source, nuint offset) => new(Vector512.LoadUnsafe(ref source, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenLanes operator +(SixteenLanes a, SixteenLanes b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreRectified(ref float target, nuint offset) =>
        Vector512.MaxNative(Vector512<float>.Zero, _value).StoreUnsafe(ref target, offset);
}

internal readonly struct EightLanes(Vector256<float> value) : ILanes<EightLanes>
{
    private readonly Vector256<float> _value = value;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes Load(ref float source, nuint offset) => new(Vector256.LoadUnsafe(ref source, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes operator +(EightLanes a, EightLanes b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreRectified(ref float target, nuint offset) =>
        Vector256.MaxNative(Vector256<float>.Zero, _value).StoreUnsafe(ref target, offset);
}

internal readonly struct FourLanes(Vector128<float> value) : ILanes<FourLanes>
{
    private readonly Vector128<float> _value = value;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes Load(ref float source, nuint offset) => new(Vector128.LoadUnsafe(ref source, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes operator +(FourLanes a, FourLanes b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreRectified(ref float target, nuint offset) =>
        Vector128.MaxNative(Vector128<float>.Zero, _value).StoreUnsafe(ref target, offset);
}

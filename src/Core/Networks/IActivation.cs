using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>A function and its derivative, told from the function's value; a type argument, so that loops inline it.</summary>
internal interface IActivation
{
    static abstract Vector512<float> Apply(Vector512<float> x);

    static abstract float Apply(float x);

    /// <summary>gradient · f'(x), where y = f(x).</summary>
    static abstract Vector512<float> Backward(Vector512<float> y, Vector512<float> gradient);

    /// <inheritdoc cref="Backward(Vector512{float}, Vector512{float})"/>
    static abstract float Backward(float y, float gradient);
}

internal readonly struct Identity : IActivation
{
    public static Vector512<float> Apply(Vector512<float> x) => x;

    public static float Apply(float x) => x;

    public static Vector512<float> Backward(Vector512<float> y, Vector512<float> gradient) => gradient;

    public static float Backward(float y, float gradient) => gradient;
}

/// <summary>ReLU.</summary>
internal readonly struct Rectify : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> x) => Vector512.MaxNative(Vector512<float>.Zero, x);

    public static float Apply(float x) => MathF.Max(x, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Backward(Vector512<float> y, Vector512<float> gradient) =>
        gradient & Vector512.GreaterThan(y, Vector512<float>.Zero);

    public static float Backward(float y, float gradient) => y > 0 ? gradient : 0;
}

internal readonly struct HyperbolicTangent : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> x) => VectorMath.Tanh(x);

    public static float Apply(float x) => MathF.Tanh(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Backward(Vector512<float> y, Vector512<float> gradient) => gradient * (Vector512<float>.One - y * y);

    public static float Backward(float y, float gradient) => gradient * (1 - y * y);
}

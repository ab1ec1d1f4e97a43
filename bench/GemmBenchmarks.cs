using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>A product as networks ask for it.</summary>
public sealed record GemmShape(string Name, int M, int N, int K, bool TransposeA = false, bool TransposeB = false)
{
    public double Flops => 2.0 * M * N * K;

    /// <summary>y = x·w.</summary>
    public static GemmShape Forward(string name, int rows, int outputs, int inputs) => new($"{name} forward", rows, outputs, inputs);

    /// <summary>dx = dy·wᵀ.</summary>
    public static GemmShape Inputs(string name, int rows, int outputs, int inputs) =>
        new($"{name} dx", rows, inputs, outputs, TransposeB: true);

    /// <summary>dw += xᵀ·dy.</summary>
    public static GemmShape Weights(string name, int rows, int outputs, int inputs) =>
        new($"{name} dw", inputs, outputs, rows, TransposeA: true);

    public override string ToString() => $"{Name} {M}x{N}x{K}";
}

/// <summary>Matrix products at the sizes of the networks here, in GFLOP/s of one core.</summary>
[Config(typeof(Config))]
public class GemmBenchmarks
{
    private float[] _a = [], _b = [], _c = [];

    public static IEnumerable<GemmShape> Shapes =>
    [
        .. Layer("dense", 640, 128, 1024),
        .. Layer("conv1", 32 * 400, 32, 256),
        .. Layer("conv2", 32 * 81, 64, 512),
        .. Layer("conv3", 32 * 49, 64, 576),
        .. Layer("nature dense", 32, 512, 3136),
        .. Layer("minatar conv", 64 * 64, 16, 36),
        .. Layer("cartpole", 1024, 64, 4),
        .. Layer("policy head", 640, 7, 128),
        .. Layer("value head", 640, 1, 128),
        GemmShape.Forward("acting", 32, 128, 1024),
        GemmShape.Forward("acting", 1, 128, 1024),
    ];

    [ParamsSource(nameof(Shapes))]
    public GemmShape Shape { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        var stream = RandomStream.Create(1, StreamRole.Initialization);
        _a = new float[Shape.M * Shape.K];
        _b = new float[Shape.K * Shape.N];
        _c = new float[Shape.M * Shape.N];
        stream.FillSingle(_a);
        stream.FillSingle(_b);
    }

    [Benchmark]
    public void Multiply()
        => Gemm.Multiply(Shape.M, Shape.N, Shape.K, _a, Shape.TransposeA, _b, Shape.TransposeB, _c, accumulate: Shape.TransposeA);

    private static GemmShape[] Layer(string name, int rows, int outputs, int inputs) =>
    [
        GemmShape.Forward(name, rows, outputs, inputs),
        GemmShape.Inputs(name, rows, outputs, inputs),
        GemmShape.Weights(name, rows, outputs, inputs),
    ];

    private sealed class Config : ShortInProcess
    {
        public Config() => AddColumn(new GflopsColumn(isShare: false), new GflopsColumn(isShare: true));
    }
}

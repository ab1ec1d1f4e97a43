using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.Bench;

/// <summary>IMPALA's loss, V-trace included, of one batch; divide by T·B for the time a frame.</summary>
[MemoryDiagnoser]
public class LossBenchmarks
{
    private const int Steps = 20;

    private readonly ImpalaLossOptions _options = new();
    private float[] _behaviour = [], _logits = [], _values = [], _rewards = [], _discounts = [], _logitGradient = [], _valueGradient = [];
    private int[] _chosen = [];
    private ImpalaLossWorkspace _workspace = new(1, 1, 1);

    [Params(32, 256)]
    public int Environments { get; set; }

    [Params(2, 6, 18)]
    public int Actions { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var random = RandomStream.Create(1, StreamRole.Environment);
        var frames = Steps * Environments;
        float[] Uniform(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2f - 1f)];
        (_behaviour, _logits) = (Uniform(frames * Actions), Uniform(frames * Actions));
        (_values, _rewards, _discounts) = (Uniform(frames + Environments), Uniform(frames), Uniform(frames));
        _chosen = [.. Enumerable.Range(0, frames).Select(_ => random.NextInt32(Actions))];
        (_logitGradient, _valueGradient) = (new float[frames * Actions], new float[frames]);
        _workspace = new(Steps, Environments, Actions);
    }

    [Benchmark]
    public double Vectors() => ImpalaLoss.Compute(
        Steps, Environments, Actions, _behaviour, _logits, _values, _chosen, _rewards, _discounts, _options, _workspace,
        _logitGradient, _valueGradient).Total;

    [Benchmark(Baseline = true)]
    public double Scalar() => ImpalaLoss.ComputeScalar(
        Steps, Environments, Actions, _behaviour, _logits, _values, _chosen, _rewards, _discounts, _options,
        _logitGradient, _valueGradient).Total;
}

/// <summary>One step of each optimizer over a network of a hundred thousand parameters, and the norm that clipping needs.</summary>
[MemoryDiagnoser]
public class OptimizerBenchmarks
{
    private const int Count = 100_000;

    private readonly float[] _parameters = new float[Count];
    private readonly float[] _gradient = [.. Enumerable.Range(0, Count).Select(i => i % 7 - 3f)];
    private IOptimizer _optimizer = new Sgd(Count);

    [Params(OptimizerKind.RmsProp, OptimizerKind.Adam, OptimizerKind.Sgd, OptimizerKind.AdaGrad, OptimizerKind.Rprop)]
    public OptimizerKind Kind { get; set; }

    [GlobalSetup]
    public void SetUp() => _optimizer = new OptimizerOptions { Kind = Kind }.Create(Count);

    [Benchmark]
    public void Step() => _optimizer.Step(_parameters, _gradient, 1e-3f, 0.5f);

    [Benchmark]
    public float Norm() => GradientClipping.Norm(_gradient);
}

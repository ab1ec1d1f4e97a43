using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>Element kernels over 4096 numbers.</summary>
[Config(typeof(ShortInProcess))]
public class KernelBenchmarks
{
    private const int Count = 4096;
    private readonly float[] _x = new float[Count], _y = new float[Count], _z = new float[Count], _bias = new float[128];
    private readonly byte[] _bytes = new byte[Count];
    private RandomStream _stream = RandomStream.Create(1, StreamRole.Initialization);

    [GlobalSetup]
    public void Setup()
    {
        _stream.FillSingle(_x);
        _stream.FillSingle(_y);
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public void Tanh() => Activations.Tanh(_x, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Exp() => Activations.Exp(_x, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Sigmoid() => Activations.Sigmoid(_x, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public void ReluBackward() => Activations.ReluBackward(_x, _y, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public void AddBiasRelu() => Activations.AddBiasRelu(_z, _bias);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Axpy() => VectorOps.Axpy(1e-6f, _x, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public double SumOfSquares() => VectorOps.SumOfSquares(_x);

    [Benchmark(OperationsPerInvoke = Count)]
    public void ColumnSums() => VectorOps.ColumnSums(_x, _bias, accumulate: false);

    [Benchmark(OperationsPerInvoke = Count)]
    public void BytesToSingle() => Conversions.BytesToSingle(_bytes, 1f / 255, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public void BitsToSingle() => Conversions.BitsToSingle(_bytes, _z);

    [Benchmark(OperationsPerInvoke = Count)]
    public void RandomSingles() => _stream.FillSingle(_z);
}

/// <summary>Distributions over actions, 1024 rows.</summary>
[Config(typeof(ShortInProcess))]
public class CategoricalBenchmarks
{
    private const int Rows = 1024;
    private readonly float[] _uniforms = new float[Rows], _entropies = new float[Rows];
    private readonly int[] _chosen = new int[Rows];
    private float[] _logits = [], _logs = [];

    [Params(3, 6, 18)]
    public int Actions { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var stream = RandomStream.Create(1, StreamRole.Policy);
        (_logits, _logs) = (new float[Rows * Actions], new float[Rows * Actions]);
        stream.FillSingle(_logits);
        stream.FillSingle(_uniforms);
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public void LogSoftmax() => Categorical.LogSoftmax(_logits, Actions, _logs);

    [Benchmark(OperationsPerInvoke = Rows)]
    public void Sample() => Categorical.Sample(_logits, _uniforms, _chosen);

    [Benchmark(OperationsPerInvoke = Rows)]
    public void ArgMax() => Categorical.ArgMax(_logits, _chosen);

    [Benchmark(OperationsPerInvoke = Rows)]
    public void Entropy() => Categorical.Entropy(_logs, _entropies);
}

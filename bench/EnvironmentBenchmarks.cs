using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>Environment steps per second on one core, observations written, episodes reset, actions random.</summary>
/// <remarks>The reported time is that of one step of one copy: 10 ns are 100 million steps per second.</remarks>
[MemoryDiagnoser]
public class EnvironmentBenchmarks
{
    private const int StepsPerOperation = 1 << 16, ActionPool = 1 << 16;

    private IEnvironmentBatch _batch = null!;
    private byte[] _observations = [], _finals = [];
    private float[] _rewards = [];
    private bool[] _terminated = [], _truncated = [];
    private int[] _actions = [];
    private float[] _forces = [];

    public static IEnumerable<string> Names => [.. EnvironmentRegistry.Default.Names, "cartpole (one by one)"];

    [ParamsSource(nameof(Names))]
    public string Environment { get; set; } = "";

    [Params(64, 256, 1024)]
    public int Copies { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var luck = RandomStream.Create(1, StreamRole.Environment);
        _batch = Environment == "cartpole (one by one)"
            ? new GameBatch<TimeLimited<CartPole, int>, int>(new EnvironmentOptions(), Copies, luck)
            : EnvironmentRegistry.Default.Create(new EnvironmentOptions { Name = Environment }, Copies, luck);
        var bytes = Copies * _batch.Spec.Observation.ByteCount;
        (_observations, _finals, _rewards) = (new byte[bytes], new byte[bytes], new float[Copies]);
        (_terminated, _truncated, _actions) = (new bool[Copies], new bool[Copies], new int[ActionPool]);
        var choices = RandomStream.Create(1, StreamRole.Policy);
        if (_batch.Spec.Action is DiscreteActionSpec(var count))
        {
            foreach (ref var action in _actions.AsSpan()) action = choices.NextInt32(count);
        }
        else
        {
            choices.FillSingle(_forces = new float[ActionPool]);
        }
        _batch.Reset(_observations);
    }

    [Benchmark(OperationsPerInvoke = StepsPerOperation)]
    public float Step()
    {
        var results = new StepResults
        {
            Observations = _observations, FinalObservations = _finals,
            Rewards = _rewards, Terminated = _terminated, Truncated = _truncated,
        };
        for (var done = 0; done < StepsPerOperation; done += Copies)
        {
            if (_forces.Length > 0) _batch.Step(_forces.AsSpan(done, Copies), results);
            else _batch.Step(_actions.AsSpan(done, Copies), results);
        }
        return _rewards[0];
    }
}

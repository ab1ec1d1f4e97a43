using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>Unrolls of 20 steps as an actor-learner does them: acting step by step, then one backward pass. Times are a frame's.</summary>
/// <remarks>
/// Expected, on one core: below 25 µs for MinAtar's torso and 6 µs for 64 units behind 64 on a maze. Measured on a shared 2-core AMD EPYC
/// (Zen 4), best of many: MinAtar 3.3 µs acting, 10.1 with the backward pass (16 environments: 8.3; 5 steps instead of 20: 15.8), with an
/// LSTM of 128 units 9.0 and 23.7; the maze 1.7 and 3.7 (16 environments: 2.1). Before one-row products had a path of their own:
/// 9.6 and 17.6, 19.3 and 37.5, 2.8 and 5.4.
/// </remarks>
[Config(typeof(ShortInProcess))]
public class UnrollBenchmarks
{
    private const int Steps = 20;
    private const int Many = 16;

    private static readonly ObservationSpec MinAtar = new(ElementType.Bit, 10, 10, 4);
    private static readonly ObservationSpec Maze = new(ElementType.Float32, 4);
    private static readonly NetworkOptions Conv = new() { Torso = "minatar" };
    private static readonly NetworkOptions Small = new() { Hidden = [64], Lstm = 64 };

    private readonly Subject _conv = new(Conv, MinAtar, 1, actions: 6);
    private readonly Subject _convMany = new(Conv, MinAtar, Many, actions: 6);
    private readonly Subject _convLstm = new(Conv with { Lstm = 128 }, MinAtar, 1, actions: 6);
    private readonly Subject _maze = new(Small, Maze, 1, actions: 4);
    private readonly Subject _mazeMany = new(Small, Maze, Many, actions: 4);
    private readonly Subject _mazeForward = new(Small with { Lstm = 0 }, Maze, 1, actions: 4);

    [Benchmark(OperationsPerInvoke = Steps)]
    public void MinAtarAct() => _conv.Act();

    [Benchmark(OperationsPerInvoke = Steps)]
    public void MinAtarActBackward() => _conv.ActBackward();

    [Benchmark(OperationsPerInvoke = Steps * Many)]
    public void MinAtarActBackward16() => _convMany.ActBackward();

    [Benchmark(OperationsPerInvoke = Steps)]
    public void MinAtarLstm128Act() => _convLstm.Act();

    [Benchmark(OperationsPerInvoke = Steps)]
    public void MinAtarLstm128ActBackward() => _convLstm.ActBackward();

    [Benchmark(OperationsPerInvoke = Steps)]
    public void Mlp64ActBackward() => _mazeForward.ActBackward();

    [Benchmark(OperationsPerInvoke = Steps)]
    public void Mlp64Lstm64Act() => _maze.Act();

    [Benchmark(OperationsPerInvoke = Steps)]
    public void Mlp64Lstm64ActBackward() => _maze.ActBackward();

    [Benchmark(OperationsPerInvoke = Steps * Many)]
    public void Mlp64Lstm64ActBackward16() => _mazeMany.ActBackward();

    /// <summary>A network with random parameters and observations; of bits one in twelve is set.</summary>
    private sealed class Subject
    {
        private readonly PolicyValueNetwork _network;
        private readonly UnrollWorkspace _workspace;
        private readonly int _bytes;
        private readonly float[] _parameters, _gradient, _logitGradient, _valueGradient, _state;
        private readonly byte[] _observations;
        private readonly bool[] _reset;

        public Subject(NetworkOptions options, ObservationSpec observation, int environments, int actions)
        {
            var random = RandomStream.Create(1, StreamRole.Initialization);
            var frames = Steps * environments;
            _network = PolicyValueNetwork.Create(options, observation, actions);
            _workspace = _network.CreateUnrollWorkspace(Steps, environments, training: true);
            (_parameters, _gradient) = (new float[_network.Layout.Count], new float[_network.Layout.Count]);
            (_logitGradient, _valueGradient) = (new float[frames * actions], new float[frames]);
            (_state, _reset) = (new float[environments * _network.StateSize], new bool[environments]);
            _network.Initialize(_parameters, ref random);
            foreach (ref var x in _logitGradient.AsSpan()) x = random.NextGaussian();
            foreach (ref var x in _valueGradient.AsSpan()) x = random.NextGaussian();
            _bytes = environments * observation.ByteCount;
            _observations = new byte[Steps * _bytes];
            if (observation.Type == ElementType.Float32)
            {
                foreach (ref var x in MemoryMarshal.Cast<byte, float>(_observations.AsSpan())) x = random.NextGaussian();
                return;
            }
            foreach (ref var b in _observations.AsSpan())
                for (var bit = 0; bit < 8; bit++) b |= (byte)((random.NextInt32(12) == 0 ? 1 : 0) << bit);
        }

        public void Act()
        {
            for (var t = 0; t < Steps; t++)
                _network.ForwardStep(_parameters, _observations.AsSpan(t * _bytes, _bytes), _reset, _state, t, _workspace);
        }

        public void ActBackward()
        {
            Array.Clear(_gradient);
            Act();
            _network.Backward(_parameters, Steps, _workspace, _logitGradient, _valueGradient, _gradient);
        }
    }
}

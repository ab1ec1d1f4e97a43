using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>Passes of policy-value networks on one core; OperationsPerInvoke makes every time a time a frame.</summary>
public class NetworkBenchmarks
{
    private const int ActingBatch = 32;
    private const int LearningBatch = 640;

    private static readonly ObservationSpec MinAtar = new(ElementType.Bit, 10, 10, 4);
    private static readonly ObservationSpec Atari = new(ElementType.UInt8, 84, 84, 4);

    private readonly Subject _minAtarActing = new("minatar", MinAtar, ActingBatch, training: false);
    private readonly Subject _minAtarLearning = new("minatar", MinAtar, LearningBatch, training: true);
    private readonly Subject _natureActing = new("nature", Atari, ActingBatch, training: false);
    private readonly Subject _natureLearning = new("nature", Atari, ActingBatch, training: true);
    private readonly Subject _mlpActing = new("mlp", new ObservationSpec(ElementType.Float32, 4), ActingBatch, training: false);
    private readonly Subject _mlpLearning = new("mlp", new ObservationSpec(ElementType.Float32, 4), LearningBatch, training: true);

    [Benchmark(OperationsPerInvoke = ActingBatch)]
    public void MinAtarForward32() => _minAtarActing.Forward();

    [Benchmark(OperationsPerInvoke = LearningBatch)]
    public void MinAtarForwardBackward640() => _minAtarLearning.ForwardBackward();

    [Benchmark(OperationsPerInvoke = ActingBatch)]
    public void NatureForward32() => _natureActing.Forward();

    [Benchmark(OperationsPerInvoke = ActingBatch)]
    public void NatureForwardBackward32() => _natureLearning.ForwardBackward();

    [Benchmark(OperationsPerInvoke = ActingBatch)]
    public void Mlp64x64Forward32() => _mlpActing.Forward();

    [Benchmark(OperationsPerInvoke = LearningBatch)]
    public void Mlp64x64ForwardBackward640() => _mlpLearning.ForwardBackward();

    /// <summary>A network with random parameters and observations; of bits one in twelve is set.</summary>
    private sealed class Subject
    {
        private readonly PolicyValueNetwork _network;
        private readonly NetworkWorkspace _workspace;
        private readonly int _batch;
        private readonly float[] _parameters;
        private readonly float[] _gradient;
        private readonly float[] _logitGradient;
        private readonly float[] _valueGradient;
        private readonly byte[] _observations;

        public Subject(string torso, ObservationSpec observation, int batch, bool training)
        {
            var random = RandomStream.Create(1, StreamRole.Initialization);
            _network = PolicyValueNetwork.Create(new NetworkOptions { Torso = torso }, observation, actions: 6);
            (_workspace, _batch) = (_network.CreateWorkspace(batch, training), batch);
            (_parameters, _gradient) = (new float[_network.Layout.Count], new float[_network.Layout.Count]);
            (_logitGradient, _valueGradient) = (new float[batch * _network.Actions], new float[batch]);
            _network.Initialize(_parameters, ref random);
            foreach (ref var x in _logitGradient.AsSpan()) x = random.NextGaussian();
            foreach (ref var x in _valueGradient.AsSpan()) x = random.NextGaussian();
            _observations = Observations(observation, batch, ref random);
        }

        public void Forward() => _network.Forward(_parameters, _observations, _batch, _workspace);

        public void ForwardBackward()
        {
            Array.Clear(_gradient);
            Forward();
            _network.Backward(_parameters, _batch, _workspace, _logitGradient, _valueGradient, _gradient);
        }

        private static byte[] Observations(ObservationSpec spec, int batch, ref RandomStream random)
        {
            var bytes = new byte[batch * spec.ByteCount];
            if (spec.Type == ElementType.Float32)
            {
                foreach (ref var x in MemoryMarshal.Cast<byte, float>(bytes.AsSpan())) x = random.NextGaussian();
                return bytes;
            }
            foreach (ref var b in bytes.AsSpan())
            {
                if (spec.Type == ElementType.UInt8) b = (byte)random.NextInt32(256);
                else for (var bit = 0; bit < 8; bit++) b |= (byte)((random.NextInt32(12) == 0 ? 1 : 0) << bit);
            }
            return bytes;
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Gymnasium;

namespace Rl.Distributed.Bench;

/// <summary>Environment steps a second through the bridge, beside those of Python's own SyncVectorEnv, in turn.</summary>
/// <remarks>
/// `gymnasium [ID [ENVIRONMENTS [SUBPROCESSES]]]`: CartPole-v1, 16 and 1 where nothing is said. Both play the same random actions; nothing
/// else is done between two steps. RL_PYTHON names the Python, which needs the real gymnasium.
/// </remarks>
internal static class GymnasiumBench
{
    private const int Rounds = 9, Batches = 4000;

    private const string Vector = """
        import sys, time
        import numpy as np, gymnasium
        id, count, batches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        envs = gymnasium.make_vec(id, num_envs=count, vectorization_mode="sync")
        envs.reset(seed=1)
        envs.action_space.seed(1)
        actions = [envs.action_space.sample() for _ in range(batches)]
        for line in sys.stdin:
            begun = time.perf_counter()
            for action in actions:
                envs.step(action)
            print(count * batches / (time.perf_counter() - begun), flush=True)
        """;

    public static void Run(string[] words)
    {
        var id = words.Length > 0 ? words[0] : "CartPole-v1";
        var count = words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : 16;
        var processes = words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : 1;
        var registry = new EnvironmentRegistry([], [new GymnasiumSource()]);
        var batch = registry.Create(
            new EnvironmentOptions { Name = $"gym:{id}", Subprocesses = processes }, count, RandomStream.Create(1, StreamRole.Environment));
        using var disposed = (IDisposable)batch;
        var python = PythonHost.Default.Executable;
        using var vector = Process.Start(new ProcessStartInfo(python, ["-c", Vector, id, $"{count}", $"{Batches}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var (bridge, own) = (new List<double>(), new List<double>());
        var player = new Player(batch);
        for (var round = 0; round < Rounds; round++)
        {
            bridge.Add(player.Play());
            vector.StandardInput.WriteLine();
            own.Add(double.Parse(vector.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture));
            Console.WriteLine(FormattableString.Invariant(
                $"round {round + 1}: bridge {bridge[^1]:N0} steps/s, SyncVectorEnv {own[^1]:N0}, ratio {bridge[^1] / own[^1]:0.00}"));
        }
        vector.StandardInput.Close();
        vector.WaitForExit();
        Console.WriteLine(FormattableString.Invariant(
            $"{id}, {count} environments in {processes} subprocess(es), best of {Rounds} rounds: bridge {bridge.Max():N0} steps/s, ")
            + FormattableString.Invariant($"SyncVectorEnv {own.Max():N0}, ratio {bridge.Max() / own.Max():0.00}; median ratio {Median(bridge, own):0.00}"));
    }

    private static double Median(List<double> bridge, List<double> own)
    {
        var ratios = bridge.Zip(own, (one, other) => one / other).Order().ToList();
        return ratios[ratios.Count / 2];
    }

    private sealed class Player(IEnvironmentBatch batch)
    {
        private readonly byte[] _observations = new byte[batch.Count * batch.Spec.Observation.ByteCount],
            _finals = new byte[batch.Count * batch.Spec.Observation.ByteCount];
        private readonly float[] _rewards = new float[batch.Count];
        private readonly bool[] _terminated = new bool[batch.Count], _truncated = new bool[batch.Count];
        private readonly int[] _actions = new int[batch.Count];
        private RandomStream _choices = RandomStream.Create(1, StreamRole.Policy);
        private bool _begun;

        public double Play()
        {
            if (!_begun) batch.Reset(_observations);
            _begun = true;
            var begun = Stopwatch.GetTimestamp();
            for (var step = 0; step < Batches; step++)
            {
                foreach (ref var action in _actions.AsSpan()) action = _choices.NextInt32(batch.Spec.DiscreteActions);
                batch.Step(_actions, new StepResults
                {
                    Observations = _observations, FinalObservations = _finals,
                    Rewards = _rewards, Terminated = _terminated, Truncated = _truncated,
                });
            }
            return batch.Count * Batches / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        }
    }
}

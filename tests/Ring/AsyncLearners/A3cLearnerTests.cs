using System.Runtime.InteropServices;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Ring.Tests;

public sealed class A3cLearnerTests
{
    private const int Steps = 5, Actions = 2;
    private const double Discount = 0.9;

    private static readonly A3cOptions Options = new()
    {
        SegmentLength = Steps,
        Discount = (float)Discount,
        Loss = new ActorCriticLossOptions { EntropyCost = 0.05f, ValueCost = 0.5f },
    };

    private readonly TwoStates _environment = new();

    [Fact]
    public void Gradients_are_finite_differences_of_the_stated_loss()
    {
        var network = Network(lstm: 0);
        var shared = Shared(network);
        var learner = Learner(network, shared, _environment);
        var parameters = shared.Values.ToArray();
        for (var segment = 0; segment < 4; segment++)
        {
            learner.AddGradient();
            var moves = _environment.Moves[(segment * Steps)..];
            var (values, returns) = (new double[Steps], new double[Steps]);
            for (var t = Steps - 1; t >= 0; t--)
            {
                values[t] = Value(parameters, moves[t].State);
                var following = moves[t].Terminated ? 0
                    : t < Steps - 1 && !moves[t].Truncated ? returns[t + 1]
                    : Value(parameters, moves[t].Next);
                returns[t] = moves[t].Reward + Discount * following;
            }
            for (var i = 0; i < network.Layout.Count; i++)
            {
                var (lower, higher) = ((float[])parameters.Clone(), (float[])parameters.Clone());
                lower[i] -= 1f / 512;
                higher[i] += 1f / 512;
                var slope = (Loss(higher) - Loss(lower)) / ((double)higher[i] - lower[i]);
                Assert.Equal(slope, learner.Local.Gradient[i], 1e-3);
            }
            learner.Local.Gradient.Clear();

            double Loss(float[] at)
            {
                var sum = 0.0;
                for (var t = 0; t < Steps; t++)
                {
                    double[] logits = [.. Enumerable.Range(0, Actions).Select(a => Output(at, "policy", Actions, moves[t].State, a))];
                    var log = Math.Log(logits.Sum(Math.Exp));
                    sum -= (logits[moves[t].Action] - log) * (returns[t] - values[t]);
                    sum += Options.Loss.EntropyCost * logits.Sum(x => Math.Exp(x - log) * (x - log));
                    sum += Options.Loss.ValueCost * 0.5 * Math.Pow(returns[t] - Value(at, moves[t].State), 2);
                }
                return sum;
            }
        }

        double Value(float[] at, int state) => Output(at, "value", 1, state, 0);

        double Output(float[] at, string head, int columns, int state, int column) =>
            (double)network.Layout.Read(at, $"{head}.weight")[state * columns + column] + network.Layout.Read(at, $"{head}.bias")[column];
    }

    [Fact]
    public void A_recurrent_state_goes_on_from_segment_to_segment_and_begins_anew_with_an_episode()
    {
        var network = Network(lstm: 3);
        var shared = Shared(network);
        var learner = Learner(network, shared, _environment);
        var workspace = network.CreateUnrollWorkspace(Steps + 1, 1, training: true);
        ReadOnlySpan<float> parameters = shared.Values;
        var state = new float[network.StateSize];
        for (var segment = 0; segment < 4; segment++)
        {
            learner.AddGradient();
            var moves = _environment.Moves[(segment * Steps)..];
            var (logits, values) = (new List<float>(), new List<float>());
            var (rewards, discounts) = (moves.Select(move => move.Reward).ToArray(), new float[Steps]);
            for (var t = 0; t < Steps; t++)
            {
                network.ForwardStep(parameters, Observation(moves[t].State), [moves[t].Reset], state, t, workspace);
                logits.AddRange(workspace.LogitsAt(t));
                values.AddRange(workspace.ValuesAt(t));
                if (moves[t].Truncated) rewards[t] += (float)Discount * Following(moves[t].Next, state);
                discounts[t] = moves[t].Terminated || moves[t].Truncated ? 0 : (float)Discount;
            }
            values.Add(Following(moves[^1].Next, state));
            var (policy, value, gradient) = (new float[Steps * Actions], new float[Steps], new float[network.Layout.Count]);
            ActorCriticLoss.Compute(
                1, Actions, [.. logits], [.. values], [.. moves.Select(move => move.Action)], rewards, discounts, Options.Loss, policy, value);
            network.Backward(parameters, Steps, workspace, policy, value, gradient);

            for (var i = 0; i < gradient.Length; i++) Assert.Equal(gradient[i], learner.Local.Gradient[i], 1e-5f);
            learner.Local.Gradient.Clear();
        }

        // The value of what came next, in the state that the step left.
        float Following(int next, float[] at)
        {
            var acting = network.CreateUnrollWorkspace(1, 1, training: false);
            network.ForwardStep(shared.Values, Observation(next), [false], (float[])at.Clone(), 0, acting);
            return acting.ValuesAt(0)[0];
        }
    }

    [Fact]
    public void Learners_learn_to_balance_a_pole_and_the_run_repeats_from_its_seed()
    {
        var (first, second) = (Balance(), Balance());
        Assert.Equal(first.Shared.Values, second.Shared.Values);
        Assert.True(first.Returns.TakeLast(20).Average() > 100, $"{first.Returns.TakeLast(20).Average()}");
        Assert.True(first.Returns.Take(20).Average() < 50);

        static (SharedParameters Shared, float[] Returns) Balance()
        {
            var (network, options) = (CartPoleNetwork(), new A3cOptions { MaxGradientNorm = float.PositiveInfinity, AnnealLearningRate = false });
            var shared = Shared(network);
            var group = CartPoleGroup(network, options, shared, Enumerable.Range(0, 8));
            while (shared.Frames < 60_000) group.Run();
            return (shared, group.TakeProgress().EpisodeReturns);
        }
    }

    [Fact]
    public void A2C_gives_the_same_bits_in_whatever_order_its_groups_run()
    {
        Assert.Equal(Train(SequentialRunner.Instance), Train(new Backwards()));

        static float[] Train(IParallelRunner runner)
        {
            var (network, options) = (CartPoleNetwork(), new A3cOptions());
            var shared = Shared(network);
            LearnerGroup[] groups = [.. Enumerable.Range(0, 3).Select(i => CartPoleGroup(network, options, shared, [2 * i, 2 * i + 1]))];
            using var update = new A2cUpdate(groups, options, shared, 100_000, runner);
            for (var i = 0; i < 50; i++) update.Run();
            Assert.Equal((50, 50 * 6 * 5), (shared.Updates, shared.Frames));
            var progress = update.TakeProgress();
            Assert.Equal((50, 50 * 6 * 5), (progress.Updates, progress.Frames));
            return shared.Values.ToArray();
        }
    }

    [Fact]
    public void An_update_of_A2C_is_the_mean_of_its_learners_gradients_with_the_same_parameters()
    {
        var (network, options) = (CartPoleNetwork(), new A3cOptions());
        var (shared, alone) = (Shared(network), Shared(network));
        LearnerGroup[] groups = [.. Enumerable.Range(0, 2).Select(i => CartPoleGroup(network, options, shared, [2 * i, 2 * i + 1]))];
        new A2cUpdate(groups, options, shared, 1000, SequentialRunner.Instance).Run();

        var sum = new float[alone.Count];
        for (var i = 0; i < 4; i++)
        {
            var learner = CartPoleGroup(network, options, alone, [i]).Learners[0];
            learner.AddGradient();
            VectorOps.Axpy(0.25f, learner.Local.Gradient, sum);
        }
        var local = alone.CreateLocal();
        sum.CopyTo(local.Gradient);
        alone.Apply(local, (float)options.LearningRate, options.MaxGradientNorm);
        for (var i = 0; i < sum.Length; i++) Assert.Equal(alone.Values[i], shared.Values[i], 1e-6f);
    }

    [Fact]
    public void A2C_refuses_groups_that_share_a_memory()
    {
        var (network, options) = (CartPoleNetwork(), new A3cOptions());
        var shared = Shared(network);
        var group = CartPoleGroup(network, options, shared, [0]);
        var error = Assert.Throws<ArgumentException>(() => new A2cUpdate([group, group], options, shared, 1000, SequentialRunner.Instance));
        Assert.Contains("share a local memory", error.Message);
    }

    private static PolicyValueNetwork Network(int lstm) => PolicyValueNetwork.Create(
        new NetworkOptions { Hidden = [], Lstm = lstm, PolicyHeadScale = 1 }, TwoStates.SharedSpec.Observation, Actions);

    private static byte[] Observation(int state) => MemoryMarshal.AsBytes<float>([1 - state, state]).ToArray();

    private static SharedParameters Shared(PolicyValueNetwork network)
    {
        var random = RandomStream.Create(3, StreamRole.Initialization);
        var parameters = new float[network.Layout.Count];
        network.Initialize(parameters, ref random);
        return new SharedParameters(parameters, new SharedParametersOptions());
    }

    private static A3cLearner Learner(PolicyValueNetwork network, SharedParameters shared, IEnvironmentBatch environments) =>
        new(new LearnerPlace(0, 0, 1, 1000, shared, shared.CreateLocal(), new LearnerLog()), new A3cMemory(network, Options), environments);

    private static PolicyValueNetwork CartPoleNetwork() => PolicyValueNetwork.Create(
        new NetworkOptions { Hidden = [32] }, EnvironmentRegistry.Default.Spec(new EnvironmentOptions()).Observation, Actions);

    private static LearnerGroup CartPoleGroup(PolicyValueNetwork network, A3cOptions options, SharedParameters shared, IEnumerable<int> indices)
    {
        var (local, log, memory) = (shared.CreateLocal(), new LearnerLog(), new A3cMemory(network, options));
        return new LearnerGroup(
            [.. indices.Select(index =>
            {
                var place = new LearnerPlace(index, 0, 1, 1_000_000, shared, local, log);
                return new A3cLearner(
                    place, memory, EnvironmentRegistry.Default.Create(new EnvironmentOptions(), 1, place.Stream(StreamRole.Environment)));
            })], log);
    }

    private sealed class Backwards : IParallelRunner
    {
        public int Degree => 2;

        public void Run(int count, Action<int> body)
        {
            for (var i = count - 1; i >= 0; i--) body(i);
        }
    }
}

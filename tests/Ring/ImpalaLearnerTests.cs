using System.Text.Json;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Tests;
using Rl.Distributed.Core.Tests.Networks;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;

namespace Rl.Distributed.Ring.Tests;

public sealed class ImpalaLearnerTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_whole_update_agrees_with_torch_and_torchbeast(int lanes)
    {
        foreach (var each in OracleFiles.Math("learner_step").Where(each => !each.GetProperty("lstm").GetBoolean()))
        {
            var (learner, sizes, layout) = Learner(each, lanes);
            learner.Begin([Unroll(each, sizes)]);
            while (!learner.Advance())
            {
            }
            double Expected(string name) => each.GetProperty(name).GetDouble();
            AssertClose(Expected("pg_loss"), learner.Loss.PolicyGradient);
            AssertClose(Expected("baseline_loss"), Expected("baseline_cost") * learner.Loss.Value);
            AssertClose(Expected("entropy_loss"), -Expected("entropy_cost") * learner.Loss.Entropy);
            AssertClose(Expected("total_loss"), learner.Loss.Total);
            AssertClose(Expected("grad_norm"), learner.GradientNorm);
            var after = sizes.Parameters(each.GetProperty("params_after"), layout, sizes.Filters, sizes.Units);
            TorchLayouts.AssertClose(after, learner.Parameters, Tolerance, "params_after");
        }
    }

    [Fact]
    public void An_update_counts_its_frames_and_anneals_the_learning_rate_to_zero()
    {
        var (learner, unroll) = RandomCase(lanes: 2, environments: 6, totalFrames: 60);
        Assert.Equal(0.01f, learner.LearningRate);
        Update(learner, unroll);
        Assert.Equal((30, 1, 0.005f), (learner.Frames, learner.Updates, learner.LearningRate));
        Update(learner, unroll);
        Assert.Equal(0, learner.LearningRate);
        var before = (float[])learner.Parameters.Clone();
        Update(learner, unroll);
        Assert.Equal(before, learner.Parameters);
    }

    [Fact]
    public void Threads_do_not_change_an_update()
    {
        var (first, unroll) = RandomCase(lanes: 4, environments: 33);
        var (second, _) = RandomCase(lanes: 4, environments: 33, new BackwardsRunner());
        Update(first, unroll);
        Update(second, unroll);
        Assert.Equal(first.Parameters, second.Parameters);
    }

    [Fact]
    public void The_number_of_lanes_changes_only_the_rounding()
    {
        var (one, unroll) = RandomCase(lanes: 1, environments: 33);
        var (many, _) = RandomCase(lanes: 5, environments: 33);
        Update(one, unroll);
        Update(many, unroll);
        TorchLayouts.AssertClose(one.Parameters, many.Parameters, 1e-3, "parameters");
        Assert.Equal(one.Loss.Frames, many.Loss.Frames);
    }

    [Fact]
    public void A_loss_that_is_no_number_leaves_the_weights_as_they_are_and_says_so()
    {
        var (learner, unroll) = RandomCase(lanes: 2, environments: 6);
        var before = (float[])learner.Parameters.Clone();
        unroll.Rewards[3] = float.NaN;
        var error = Assert.Throws<TrainingDivergedException>(() => Update(learner, unroll));
        Assert.Contains("Update 1 at 0 frames", error.Message);
        Assert.Equal(before, learner.Parameters);
    }

    [Fact]
    public void An_update_allocates_nothing()
    {
        var (learner, unroll) = RandomCase(lanes: 2, environments: 6);
        Unroll[] batch = [unroll];
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            learner.Begin(batch);
            while (!learner.Advance())
            {
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Statistics_of_observations_are_those_of_the_batch_and_change_nothing_of_the_first_update(int lanes)
    {
        var (learner, unroll) = RandomCase(lanes, environments: 33, normalize: true);
        var (plain, _) = RandomCase(lanes, environments: 33);
        Update(learner, unroll);
        Update(plain, unroll);
        var trained = plain.Parameters.Length;
        Assert.Equal(plain.GradientNorm, learner.GradientNorm);
        Assert.Equal(plain.Parameters, learner.Parameters[..trained]);
        var (means, variances) = Statistics(unroll);
        TorchLayouts.AssertClose(means, learner.Parameters[trained..(trained + 3)], 1e-5, "means");
        TorchLayouts.AssertClose(variances, learner.Parameters[(trained + 16)..(trained + 19)], 1e-5, "variances");
        Assert.Equal(unroll.Shape.Frames, learner.Parameters[trained + 32]);
        Update(learner, unroll);
        Update(plain, unroll);
        Assert.NotEqual(plain.Parameters, learner.Parameters[..trained]);
        TorchLayouts.AssertClose(variances, learner.Parameters[(trained + 16)..(trained + 19)], 1e-5, "variances of the same again");
        Assert.Equal(2 * unroll.Shape.Frames, learner.Parameters[trained + 32]);
    }

    [Fact]
    public void Statistics_do_not_depend_on_threads()
    {
        var (first, unroll) = RandomCase(lanes: 4, environments: 33, normalize: true);
        var (second, _) = RandomCase(lanes: 4, environments: 33, new BackwardsRunner(), normalize: true);
        for (var i = 0; i < 3; i++)
        {
            Update(first, unroll);
            Update(second, unroll);
        }
        Assert.Equal(first.Parameters, second.Parameters);
    }

    [Theory]
    [InlineData(OptimizerKind.RmsProp)]
    [InlineData(OptimizerKind.Adam)]
    [InlineData(OptimizerKind.Adam, true)]
    [InlineData(OptimizerKind.Sgd)]
    [InlineData(OptimizerKind.AdaGrad)]
    [InlineData(OptimizerKind.Rprop)]
    public void No_optimizer_touches_statistics(OptimizerKind kind, bool decoupled = false)
    {
        var optimizer = new OptimizerOptions
        {
            Kind = kind, LearningRate = 0.01, WeightDecay = kind is OptimizerKind.Adam or OptimizerKind.Sgd ? 0.5 : 0, DecoupledWeightDecay = decoupled,
        };
        var (learner, unroll) = RandomCase(lanes: 2, environments: 33, normalize: true, optimizer: optimizer);
        var (still, _) = RandomCase(lanes: 2, environments: 33, normalize: true, optimizer: new OptimizerOptions { LearningRate = 0 });
        for (var i = 0; i < 3; i++)
        {
            Update(learner, unroll);
            Update(still, unroll);
        }
        var trained = learner.Parameters.Length - 48;
        Assert.NotEqual(still.Parameters[..trained], learner.Parameters[..trained]);
        Assert.Equal(still.Parameters[trained..], learner.Parameters[trained..]);
        Assert.All(learner.Optimizer.State, slot => Assert.Equal(trained, slot.Values.Length));
    }

    private static (float[] Means, float[] Variances) Statistics(Unroll unroll)
    {
        // What the bootstrap alone sees is the first observation of the next unroll, and counts there.
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(unroll.Observations.AsSpan())[..(unroll.Shape.Frames * 3)].ToArray();
        var (means, variances) = (new float[3], new float[3]);
        for (var i = 0; i < 3; i++)
        {
            var column = values.Where((_, at) => at % 3 == i).Select(value => (double)value).ToArray();
            means[i] = (float)column.Average();
            variances[i] = (float)column.Average(value => (value - column.Average()) * (value - column.Average()));
        }
        return (means, variances);
    }

    private static (ImpalaLearner Learner, LearnerStepCase Sizes, ParameterLayout Layout) Learner(JsonElement each, int lanes)
    {
        var sizes = new LearnerStepCase(each);
        var rmsProp = each.GetProperty("rmsprop");
        var observation = new ObservationSpec(ElementType.Float32, sizes.Height, sizes.Width, sizes.Channels);
        var network = PolicyValueNetwork.Create(
            layout => new TorsoBuilder(layout, observation).Conv("conv1", sizes.Filters, sizes.Kernel, 1).Dense("dense1", sizes.Units).Build(),
            sizes.Actions, new NetworkOptions());
        var options = new ImpalaOptions
        {
            Batch = each.GetProperty("B").GetInt32(),
            MaxGradientNorm = each.GetProperty("max_grad_norm").GetSingle(),
            AnnealLearningRate = false,
            Loss = new ImpalaLossOptions
            {
                ValueCost = each.GetProperty("baseline_cost").GetSingle(),
                EntropyCost = each.GetProperty("entropy_cost").GetSingle(),
            },
            Optimizer = new OptimizerOptions
            {
                LearningRate = rmsProp.GetProperty("lr").GetDouble(),
                Decay = rmsProp.GetProperty("alpha").GetDouble(),
                Epsilon = rmsProp.GetProperty("eps").GetDouble(),
            },
        };
        var shape = new UnrollShape(each.GetProperty("T").GetInt32(), options.Batch, observation, sizes.Actions);
        var learner = new ImpalaLearner(network, options, shape, 1_000_000, lanes, SequentialRunner.Instance, seed: 1);
        sizes.Parameters(each.GetProperty("params"), network.Layout, sizes.Filters, sizes.Units).CopyTo(learner.Parameters, 0);
        return (learner, sizes, network.Layout);
    }

    // done[t] of the oracle is our reset[t]: discounts[t] = γ (1 - done[t+1]).
    private static Unroll Unroll(JsonElement each, LearnerStepCase sizes)
    {
        var environments = each.GetProperty("B").GetInt32();
        var shape = new UnrollShape(
            each.GetProperty("T").GetInt32(), environments, new ObservationSpec(ElementType.Float32, sizes.Height, sizes.Width, sizes.Channels), sizes.Actions);
        var unroll = new Unroll(shape);
        sizes.Observations(each, ElementType.Float32).CopyTo(unroll.Observations, 0);
        OracleFiles.Ints(each.GetProperty("actions")).AsSpan(0, shape.Frames).CopyTo(unroll.Actions);
        OracleFiles.Floats(each.GetProperty("rewards")).AsSpan(0, shape.Frames).CopyTo(unroll.Rewards);
        OracleFiles.Floats(each.GetProperty("behavior_logits")).AsSpan(0, shape.Frames * sizes.Actions).CopyTo(unroll.BehaviourLogits);
        var done = OracleFiles.Floats(each.GetProperty("done"));
        for (var i = 0; i < shape.Frames; i++) unroll.Discounts[i] = each.GetProperty("gamma").GetSingle() * (1 - done[i + environments]);
        return unroll;
    }

    private static (ImpalaLearner Learner, Unroll Unroll) RandomCase(
        int lanes, int environments, IParallelRunner? runner = null, long totalFrames = 1_000_000, bool normalize = false,
        OptimizerOptions? optimizer = null)
    {
        var observation = new ObservationSpec(ElementType.Float32, 3);
        var shape = new UnrollShape(5, environments, observation, 4);
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = "mlp", Hidden = [16], NormalizeObservations = normalize }, observation, 4);
        var options = new ImpalaOptions { Batch = environments, Optimizer = optimizer ?? new OptimizerOptions { LearningRate = 0.01 } };
        var random = RandomStream.Create(9, StreamRole.Policy);
        var unroll = new Unroll(shape);
        random.FillSingle(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(unroll.Observations.AsSpan()));
        random.FillSingle(unroll.BehaviourLogits);
        random.FillSingle(unroll.Rewards);
        for (var i = 0; i < shape.Frames; i++) (unroll.Actions[i], unroll.Discounts[i]) = (random.NextInt32(4), i % 7 == 0 ? 0 : 0.9f);
        return (new ImpalaLearner(network, options, shape, totalFrames, lanes, runner ?? SequentialRunner.Instance, seed: 1), unroll);
    }

    private static (ImpalaLearner Learner, Unroll Unroll) RandomCase(int lanes, int environments, long totalFrames) =>
        RandomCase(lanes, environments, null, totalFrames);

    private static void Update(ImpalaLearner learner, Unroll unroll)
    {
        learner.Begin([unroll]);
        while (!learner.Advance())
        {
        }
    }

    private static void AssertClose(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= Tolerance * (1 + Math.Abs(expected)), $"{actual}, expected {expected}");

    /// <summary>Runs the last shard first, as threads may.</summary>
    private sealed class BackwardsRunner : IParallelRunner
    {
        public int Degree => 4;

        public void Run(int count, Action<int> body)
        {
            for (var i = count - 1; i >= 0; i--) body(i);
        }
    }
}

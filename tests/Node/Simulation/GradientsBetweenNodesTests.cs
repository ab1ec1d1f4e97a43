using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Whole runs of asynchronous learners that send gradients, on a simulated cluster: one node that leads and two that learn for it.</summary>
public sealed class GradientsBetweenNodesTests
{
    private const long Endless = 1_000_000_000;

    [Fact]
    public void A_run_ends_with_all_its_frames_and_its_seed_repeats_it_to_the_bit()
    {
        var first = Ended(seed: 5);
        Assert.Equal(first, Ended(seed: 5));
        Assert.NotEqual(first, Ended(seed: 6));

        static (ulong, string) Ended(ulong seed)
        {
            var world = new GradientWorld("a3c", seed, frames: 4000);
            world.Simulation.Network.DropProbability = 0.01;
            world.Lead();
            world.Act();
            world.Until(() => world.Run.End is not null);
            Assert.Equal(2, world.Run.MostNodes);
            world.AssertAddsUp();
            var ledger = world.Run.End!.Consumed.Where(claim => claim.Worker >= 0).ToList();
            Assert.Equal([0, 1], ledger.Select(claim => claim.Worker).Order());
            Assert.True(ledger.Sum(claim => claim.Unrolls) > world.State.Gradients.Applied, "Nothing was lost on its way.");
            return (world.Simulation.MessageHash, Convert.ToHexString(MemoryMarshal.AsBytes(world.State.Shared.Values)));
        }
    }

    [Theory]
    [InlineData("a3c", "float16")]
    [InlineData("async-q", "float32")]
    [InlineData("async-nstep-q", "float16")]
    [InlineData("async-sarsa", "float32")]
    public void Every_asynchronous_algorithm_learns_over_nodes_and_beside_learners_that_share_memory(string algorithm, string encoding)
    {
        var world = new GradientWorld(algorithm, seed: 3, Endless, $"parameterServer.gradientEncoding={encoding}");
        var targets = 0;
        world.Simulation.Watcher = (_, path, message) => targets += message is ParametersChunk && path.Name.StartsWith(RunCoordinator.TargetsName, StringComparison.Ordinal) ? 1 : 0;
        world.Lead(localWorkers: 1);
        world.Act();
        world.Until(() => world.State.Gradients.Applied > 20 && (algorithm == "a3c" || targets > 2));
        world.Coordinator.Tell(StopTraining.Instance);
        world.Until(() => world.Run.End is not null);
        Assert.InRange(world.State.Gradients.Applied, 1, world.State.Shared.Updates - 1);
        Assert.Equal(algorithm != "a3c", targets > 2);
        world.AssertAddsUp();
        Assert.Equal(0, world.State.Rejected);
    }

    [Fact]
    public void A_gradient_that_comes_twice_is_applied_once_and_one_with_NaN_never_and_the_run_goes_on()
    {
        var world = new GradientWorld("a3c", seed: 4, Endless);
        PushGradient? sent = null;
        world.Simulation.Watcher = (_, path, message) => sent = message is PushGradient push && path.Name == RunCoordinator.GradientsName ? push : sent;
        world.Lead();
        world.Act();
        world.Until(() => world.State.Gradients.Applied > 50);
        var server = world.Leader.ActorSelection($"/user/{RunCoordinator.Name}/{RunCoordinator.GradientsName}");
        var bad = sent! with { Id = sent.Id with { Sequence = 1_000_000 }, Values = Poisoned(sent.Values) };
        foreach (var push in (PushGradient[])[sent, sent, bad]) server.Tell(push, ActorRefs.Nobody);
        var updates = world.State.Shared.Updates;
        world.Until(() => world.State.Shared.Updates > updates + 50);
        Assert.Equal((2, 1), (world.State.Shared.Rejected(GradientRejection.Duplicate), world.State.Shared.Rejected(GradientRejection.NotFinite)));
        Assert.Equal(-1, IndexOfNotFinite(world.State.Shared.Values));
        Assert.Equal(-1, IndexOfNotFinite(world.State.Shared.Squares));
        world.AssertAddsUp();
        Assert.Null(world.Run.Failure);

        static byte[] Poisoned(ReadOnlyMemory<byte> values)
        {
            var bytes = values.ToArray();
            BitConverter.TryWriteBytes(bytes.AsSpan(8), float.NaN);
            return bytes;
        }

        static int IndexOfNotFinite(ReadOnlySpan<float> values)
        {
            for (var i = 0; i < values.Length; i++)
                if (!float.IsFinite(values[i])) return i;
            return -1;
        }
    }

    [Fact]
    public void A_node_that_dies_is_not_waited_for_and_works_again_when_it_is_back()
    {
        var world = new GradientWorld("async-nstep-q", seed: 8, Endless);
        world.Lead();
        world.Act();
        world.Until(() => world.Run.Nodes == 2 && world.State.Gradients.Applied > 50);
        world.Nodes[0].Crash(silent: true);
        world.Until(() => world.Run.Nodes == 1);
        var applied = world.State.Gradients.Applied;
        world.Until(() => world.State.Gradients.Applied > applied + 50);
        world.Nodes[0].Start();
        world.Until(() => world.State.Gradients.SentAtLeast().Any(claim => claim.Worker == 2));
        world.AssertAddsUp();
        Assert.Null(world.Run.Failure);
    }

    [Fact]
    public void A_leader_that_resumes_is_found_again_and_applies_nothing_of_before()
    {
        var world = new GradientWorld("a3c", seed: 9, Endless);
        PushGradient? sent = null;
        world.Simulation.Watcher = (_, path, message) => sent = message is PushGradient push && path.Name == RunCoordinator.GradientsName ? push : sent;
        world.Lead();
        world.Act();
        world.Until(() => world.State.Gradients.Applied > 100);
        world.Coordinator.Tell(SaveCheckpoint.Instance);
        world.Until(() => world.Saved is not null);
        var saved = world.Saved!;
        world.Until(() => world.State.Gradients.Applied > 300);
        var (before, old) = (world.State.Shared.Updates, sent!);
        world.Simulation.Crash(world.Leader, silent: true);

        world.Lead(resume: saved);
        Assert.InRange(world.State.Gradients.Applied, 100, 200);
        world.Until(() => world.State.Gradients.Applied > 400);
        Assert.Equal(1, world.State.Epoch);
        // Its learners know what was applied after the checkpoint, but for their last few.
        Assert.InRange(world.State.Report(0).UnrollsRolledBack, before - saved.Updates - 10, before - saved.Updates);
        world.Leader.ActorSelection($"/user/{RunCoordinator.Name}/{RunCoordinator.GradientsName}").Tell(old, ActorRefs.Nobody);
        world.Until(() => world.State.Rejected > 0);
        Assert.Equal(1, world.State.Shared.Rejected(GradientRejection.StaleIncarnation) + world.State.Shared.Rejected(GradientRejection.UnknownLearner));
        world.AssertAddsUp();
        Assert.Null(world.Run.Failure);
    }

    [Theory]
    [InlineData("a3c")]
    [InlineData("a2c")]
    public void A_run_that_is_resumed_with_all_its_frames_done_ends(string algorithm)
    {
        // Whether the server is finished before the run's owner watches it is a matter of order.
        for (var seed = 1UL; seed <= 8; seed++)
        {
            var world = new GradientWorld(algorithm, seed, frames: 100);
            world.Lead(localWorkers: 1);
            world.Until(() => world.Run.End is not null);
            world.Simulation.Crash(world.Leader);
            world.Lead(resume: world.Saved);
            world.Until(() => world.Run.End is not null);
        }
    }

    [Fact]
    public void A2c_gives_the_same_bits_wherever_its_learners_are()
    {
        // One process with a thread for each learner, so that their gradients are added in their order there, too.
        var together = new GradientWorld("a2c", seed: 7, frames: 2000, "learner.parallelism=4").Alone(learners: 4);
        foreach (var (local, first, second) in ((int, int, int)[])[(4, 0, 0), (0, 2, 2), (1, 3, 0), (0, 1, 3)])
        {
            var world = new GradientWorld("a2c", seed: 7, frames: 2000, "learner.leastLearners=4", "workers.creditTimeoutSeconds=30");
            world.Lead(local);
            foreach (var workers in (int[])[first, second])
                if (workers > 0) world.AddNode(workers).Start();
            world.Until(() => world.Run.End is not null);
            Assert.Equal(together.Shared.Updates, world.State.Shared.Updates);
            Assert.Equal(together.Shared.Values, world.State.Shared.Values);
            Assert.Equal(together.Shared.Squares, world.State.Shared.Squares);
            Assert.Equal(100, world.State.Shared.Updates);
            Assert.Equal(400, world.State.Gradients.Applied);
        }
    }

    [Fact]
    public void A2c_goes_on_without_a_learner_that_dies_and_with_one_that_comes_back()
    {
        var world = new GradientWorld("a2c", seed: 8, Endless);
        world.Lead();
        world.Act();
        world.Until(() => world.Run.Nodes == 2 && world.State.Shared.Updates > 50);
        Assert.InRange(world.State.Gradients.Merged, 1, world.State.Shared.Updates);
        world.Nodes[0].Crash(silent: true);
        world.Until(() => world.Run.Nodes == 1);
        var (updates, merged) = (world.State.Shared.Updates, world.State.Gradients.Merged);
        world.Until(() => world.State.Shared.Updates > updates + 20);
        Assert.Equal(merged, world.State.Gradients.Merged);
        world.Nodes[0].Start();
        world.Until(() => world.State.Gradients.Merged > merged + 20);
        Assert.Null(world.Run.Failure);
    }

    [Fact]
    public void A2c_resumes_with_its_counts()
    {
        var world = new GradientWorld("a2c", seed: 9, Endless);
        world.Lead(localWorkers: 2);
        world.Until(() => world.State.Shared.Updates > 50);
        world.Coordinator.Tell(SaveCheckpoint.Instance);
        world.Until(() => world.Saved is not null);
        var saved = world.Saved!;
        world.Simulation.Crash(world.Leader);
        world.Lead(localWorkers: 2, resume: saved);
        Assert.Equal(saved.Updates, world.State.Shared.Updates);
        Assert.Equal(world.State.Gradients.Applied, world.State.UnrollsConsumed);
        Assert.True(world.State.UnrollsConsumed > saved.Updates);
        world.Until(() => world.State.Shared.Updates > saved.Updates + 50);
        world.Coordinator.Tell(StopTraining.Instance);
        world.Until(() => world.Run.End is not null);
        Assert.Equal(world.State.Shared.Frames, world.State.Gradients.Applied * 5);
        Assert.All(world.Run.End!.Consumed, claim => Assert.True(claim.Unrolls >= 0));
    }
}

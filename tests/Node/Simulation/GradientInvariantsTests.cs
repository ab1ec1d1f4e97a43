using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Each invariant of gradients is seen to be broken by a run that breaks it.</summary>
public sealed class GradientInvariantsTests
{
    private const string Here = "here";
    private const int Frames = 5, Parameters = 6, Part = 4;
    private static readonly ActorPath _host = Path(ActorNode.HostName), _server = Path(RunCoordinator.GradientsName),
        _targets = Path(RunCoordinator.TargetsName);

    private readonly List<string> _violations = [];
    private readonly GradientInvariants _invariants;
    private readonly SnapshotPool _snapshots = new(Parameters);
    private AsyncState _state = NewState();
    private GradientIntake _intake;

    public GradientInvariantsTests()
    {
        _invariants = new GradientInvariants(float.PositiveInfinity, 1000, _violations.Add);
        _intake = Lead(_state, 0);
        See(new RegisterLearner(0, 0, "run"), _server);
        See(new LearnerRegistered(0, 0, 2, 0));
    }

    [Fact]
    public void A_run_that_keeps_its_promises_breaks_nothing()
    {
        Send(0);
        Apply(0);
        Publish(1);
        See(new GradientAcknowledged(Id(0), GradientRejection.None, default, 0));
        Send(1, version: 1);
        Apply(1, version: 1);
        See(new WorkerReport(0, 0, 2, 1, 0, 0, 0, 0, 0));
        See(new GradientsReport(_intake.TakeProgress(), 2 * Frames, 2));
        _invariants.CheckpointSaved(_state.Save(), 2 * Frames);
        _invariants.Finished(_state.Report(0), 2 * Frames);
        _invariants.Ended();
        Assert.Empty(_violations);
        Assert.Equal(2, _invariants.Consumed);
    }

    [Fact]
    public void A_gradient_that_nobody_sent_is_seen()
    {
        Apply(0);
        Assert.StartsWith("Consumed once", _violations[0]);
    }

    [Fact]
    public void A_gradient_of_which_a_part_got_lost_is_seen()
    {
        Send(0, parts: [Part]);
        Apply(0);
        Assert.StartsWith("Consumed once", _violations[0]);
    }

    [Fact]
    public void A_ledger_that_forgets_is_seen()
    {
        var before = _state.Save();
        Send(0);
        Apply(0);
        _state.Gradients.Load(before);
        _state.Shared.AddFrames(Frames);
        _invariants.Check();
        Assert.Contains(_violations, text => text.StartsWith("Consumed once", StringComparison.Ordinal));
    }

    [Fact]
    public void A_gradient_that_is_applied_and_not_entered_is_seen()
    {
        Send(0);
        Apply(0);
        var local = _state.Shared.CreateLocal();
        local.Gradient[0] = 1;
        _state.Shared.Apply(local, 0.1f, 1);
        _invariants.Check();
        AssertOnly("Frames are those of the gradients");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stale_gradient_counts_once_and_one_that_counts_again_is_seen(bool forgets)
    {
        _state = new AsyncState("a3c", new SharedParameters(new float[Parameters], new SharedParametersOptions { MaxStaleness = 1 }));
        _state.Begin(1, 0);
        _intake = Lead(_state, 1);
        See(new RegisterLearner(0, 0, "run"), _server);
        for (var sequence = 0; sequence < 2; sequence++) Arrive(sequence, GradientRejection.None);
        Arrive(2, GradientRejection.Stale);
        Assert.Empty(_violations);
        if (forgets)
        {
            _intake = NewIntake(_state, new GradientLedger(_state.Shared), 1);
            Arrive(2, GradientRejection.Stale);
            Assert.Contains(_violations, text => text.StartsWith("Only sound gradients count", StringComparison.Ordinal));
            return;
        }
        Arrive(2, GradientRejection.Duplicate);
        Assert.Empty(_violations);

        void Arrive(long sequence, GradientRejection expected)
        {
            _invariants.ObserveRepeated(Push(sequence, epoch: 1));
            Assert.Equal(expected, _intake.Take(Push(sequence, epoch: 1)));
            _invariants.Check();
        }
    }

    [Fact]
    public void A_gradient_that_was_rolled_back_and_is_applied_again_is_seen()
    {
        Send(0);
        Apply(0);
        _state = NewState();
        _state.Begin(1, 1);
        _intake = Lead(_state, 1);
        Assert.Equal(1, _invariants.RolledBack);
        See(new RegisterLearner(0, 0, "run"), _server);
        _invariants.ObserveRepeated(Push(0, epoch: 1));
        _intake.Take(Push(0, epoch: 1));
        _invariants.Check();
        Assert.Contains(_violations, text => text.StartsWith("Consumed once", StringComparison.Ordinal));
        Assert.Contains(_violations, text => text.StartsWith("Only sound gradients are applied", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, 0, 0, Parameters, "is not finite")]
    [InlineData(false, 1, 0, Parameters, "is of no registered learner")]
    [InlineData(false, 0, 9, Parameters, "this run never had")]
    [InlineData(false, 0, 0, Parameters + 1, "wrong length")]
    public void What_must_be_refused_and_is_applied_is_seen(bool poisoned, int incarnation, long version, int total, string flaw)
    {
        var push = Push(0) with { Id = Id(0) with { Incarnation = incarnation }, Version = new ParameterVersion(0, version), Total = total };
        if (total > Parameters) push = push with { Values = new byte[total * sizeof(float)], Segment = push.Segment with { GradientNorm = 0 } };
        if (poisoned) _invariants.TryPoison(push, 1);
        _intake.TryRegister(0, incarnation);
        _invariants.ObserveRepeated(push);
        _intake.Take(Push(0) with { Id = push.Id });
        _invariants.Check();
        Assert.StartsWith("Only sound gradients are applied", _violations[0]);
        Assert.Contains(flaw, _violations[0]);
    }

    [Fact]
    public void A_sound_gradient_that_is_not_applied_is_seen()
    {
        Send(0);
        _invariants.Check();
        AssertOnly("A sound gradient is applied");
    }

    [Fact]
    public void A_gradient_that_changes_on_its_way_is_seen()
    {
        var push = Push(0);
        See(push with { Segment = push.Segment with { GradientNorm = 2 * push.Segment.GradientNorm } }, _server);
        Apply(0);
        AssertOnly("A gradient arrives as it was sent");
    }

    [Theory]
    [InlineData(GradientRejection.None, false, "Acknowledged means consumed")]
    [InlineData(GradientRejection.NotFinite, true, "Refused means not consumed")]
    [InlineData(GradientRejection.Duplicate, true, null)]
    public void An_answer_that_is_not_true_is_seen(GradientRejection answer, bool applied, string? violation)
    {
        Send(0);
        if (applied) Apply(0);
        See(new GradientAcknowledged(Id(0), answer, default, 0));
        AssertOnly(violation);
    }

    [Fact]
    public void Gradients_out_of_order_are_seen()
    {
        Send(1);
        Send(0);
        AssertOnly("A worker's gradients come in order");
    }

    [Fact]
    public void Gradients_of_weights_older_than_those_before_and_of_another_epoch_are_seen()
    {
        Publish(1);
        Send(0, version: 1);
        Send(1);
        See(Push(2, epoch: 7), _server);
        Assert.StartsWith("Versions grow", _violations[0]);
        Assert.Contains(_violations, text => text.StartsWith("Versions are those of the run", StringComparison.Ordinal));
    }

    [Fact]
    public void More_in_flight_than_there_are_credits_is_seen()
    {
        See(new WorkerReport(0, 0, 3, 0, 0, 0, 0, 0, 0));
        AssertOnly("Bounded in flight");
    }

    [Fact]
    public void Frames_of_nobody_are_seen()
    {
        _state.Shared.AddFrames(Frames);
        _invariants.Check();
        AssertOnly("Frames are those of the gradients");
    }

    [Theory]
    [InlineData(Frames, null)]
    [InlineData(Frames - 1, "Frames are those of the gradients")]
    public void What_learners_in_shared_memory_did_and_did_not_report_is_seen(long reported, string? violation)
    {
        _state = NewState();
        _state.Begin(1, 0);
        _intake = Lead(_state, 1, localWorkers: 1);
        var log = new LearnerLog();
        var local = _state.Shared.CreateLocal();
        local.Gradient[0] = 1;
        log.AddFrames((int)reported);
        _state.Shared.AddFrames(Frames);
        log.AddGradient(_state.Shared.Apply(local, 0.1f, 1));
        See(new LearnersReport(0, 0, log.Take()));
        _invariants.Finished(_state.Report(0), Frames);
        AssertOnly(violation);
    }

    [Fact]
    public void Weights_that_are_not_those_that_were_published_or_learned_are_seen()
    {
        See(new ParametersChunk(new ParameterVersion(0, 0), Parameters, 0, new float[] { 1 }), Path($"{RunCoordinator.ServerName}-cache-0"));
        AssertOnly("Weights arrive as they were published");
        _violations.Clear();
        See(new PublishParameters(_snapshots.Take(new ParameterVersion(0, 0), [1, 2, 3, 4, 5, 6])), _targets);
        AssertOnly("Targets were weights");
        _violations.Clear();
        Send(0);
        Apply(0);
        See(new PublishParameters(_snapshots.Take(new ParameterVersion(0, 1), [1, 2, 3, 4, 5, 6])));
        AssertOnly("What is published are the weights");
    }

    [Fact]
    public void A_version_that_does_not_grow_is_seen()
    {
        Publish(0);
        AssertOnly("Versions grow");
    }

    [Fact]
    public void A_checkpoint_of_two_moments_is_seen()
    {
        var early = _state.Save();
        Send(0);
        Apply(0);
        _invariants.CheckpointSaved(early, Frames);
        Assert.StartsWith("A checkpoint is whole", _violations[0]);
    }

    [Fact]
    public void An_epoch_that_comes_again_is_seen()
    {
        Lead(NewState(), 0);
        AssertOnly("Epochs grow");
    }

    [Theory]
    [InlineData(0, "Consumed means consumed or rolled back")]
    [InlineData(1, null)]
    [InlineData(2, "Rolled back once")]
    public void What_was_rolled_back_is_to_be_counted(long counted, string? violation)
    {
        Send(0);
        Apply(0);
        var next = NewState();
        next.Begin(1, counted);
        _invariants.LeaderStarted(next, "run", known: 1);
        AssertOnly(violation);
    }

    [Fact]
    public void What_a_node_knows_was_applied_and_the_run_does_not_count_is_seen()
    {
        Send(0);
        Apply(0);
        See(new GradientAcknowledged(Id(0), GradientRejection.None, default, 0));
        See(new WorkerReport(0, 0, 1, 1, 0, 0, 0, 0, 0));
        var next = NewState();
        next.Begin(1, 0);
        _invariants.LeaderStarted(next, "run");
        See(new WorkAssigned("run", "", new BuildFacts("", 0, 0, ""), 1, 0, 1));
        _invariants.Ended();
        AssertOnly("Acknowledged means consumed or rolled back");
    }

    [Fact]
    public void A_run_that_ends_early_is_seen()
    {
        _invariants.Finished(_state.Report(0), 6);
        AssertOnly("The run reaches its end");
    }

    private static ActorPath Path(string name) => new RootActorPath(new Address("akka", "rl")) / "user" / name;

    private static AsyncState NewState() => new("a3c", new SharedParameters(new float[Parameters], new SharedParametersOptions()));

    private static UnrollId Id(long sequence) => new(0, 0, sequence);

    private static PushGradient Push(long sequence, long version = 0, int epoch = 0)
    {
        float[] gradient = [1, 2, 3, 4, 5, 6];
        var segment = new SegmentReport(Frames, [], [], 0, default, GradientClipping.Norm(gradient));
        return new PushGradient(
            Id(sequence), new ParameterVersion(epoch, version), Parameters, 0, GradientEncoding.Float32, 1,
            MemoryMarshal.AsBytes(gradient.AsSpan()).ToArray(), segment);
    }

    private GradientIntake Lead(AsyncState state, int epoch, int localWorkers = 0)
    {
        _invariants.LeaderStarted(state, "run", localWorkers: localWorkers);
        var intake = NewIntake(state, state.Gradients, epoch);
        See(new PublishParameters(_snapshots.Take(new ParameterVersion(epoch, 0), state.Shared.Values)));
        return intake;
    }

    private static GradientIntake NewIntake(AsyncState state, GradientLedger ledger, int epoch)
    {
        var intake = new GradientIntake(new GradientIntakeSetup(state.Shared, ledger, null, new LinearSchedule(0.1, 0.1, 1000), Frames, epoch));
        Assert.True(intake.TryRegister(0, 0));
        return intake;
    }

    /// <summary>The server gets these parts of a gradient, or all.</summary>
    private void Send(long sequence, long version = 0, int[]? parts = null)
    {
        var (push, offset) = (Push(sequence, version), 0);
        foreach (var count in parts ?? [Part, Parameters - Part])
        {
            See(push with { Offset = offset, Values = push.Values.Slice(offset * sizeof(float), count * sizeof(float)) }, _server);
            offset += count;
        }
    }

    private void Apply(long sequence, long version = 0)
    {
        Assert.Equal(GradientRejection.None, _intake.Take(Push(sequence, version)));
        _invariants.Check();
    }

    private void Publish(long counter) =>
        See(new PublishParameters(_snapshots.Take(new ParameterVersion(0, counter), _state.Shared.Values)));

    private void See(object message, ActorPath? at = null) => _invariants.Observe(at ?? _host, message, at is null ? Here : "");

    private void AssertOnly(string? expected)
    {
        if (expected is null) Assert.Empty(_violations);
        else Assert.StartsWith(expected, Assert.Single(_violations));
    }
}

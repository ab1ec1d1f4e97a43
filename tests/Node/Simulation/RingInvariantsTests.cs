using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Akka.Actor;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Each invariant is seen to be broken by a ring that breaks it.</summary>
public sealed class RingInvariantsTests
{
    private static readonly UnrollShape _shape = new(2, 3, new ObservationSpec(ElementType.Float32, 4), 2);
    private const string Here = "here";
    private static readonly ActorPath _anywhere = new RootActorPath(new Address("akka", "rl")) / "user" / ActorNode.HostName;

    private readonly List<string> _violations = [];
    private readonly RingInvariants _invariants;
    private readonly ImpalaState _state;
    private readonly SnapshotPool _snapshots;

    public RingInvariantsTests()
    {
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = "mlp", Hidden = [4] }, _shape.Observation, 2);
        var learner = new ImpalaLearner(network, new ImpalaOptions { Batch = 3 }, _shape, 1000, 1, SequentialRunner.Instance, seed: 1);
        (_state, _snapshots) = (new ImpalaState(learner, _shape), new SnapshotPool(learner.Parameters.Length));
        _invariants = new RingInvariants(_shape, _violations.Add);
        _invariants.LeaderStarted(_state);
        Publish(0);
    }

    [Fact]
    public void A_ring_that_keeps_its_promises_breaks_nothing()
    {
        See(new CreditsGranted(0, 0, 2));
        Send(0);
        Send(1);
        Deliver(0);
        Learn(0);
        Publish(1);
        See(new CreditReturned(Id(0), UnrollOutcome.Consumed));
        See(new WorkerReport(0, 0, 2, 1, 0, 0, 0, 0, 0));
        Deliver(1);
        Learn(1);
        Assert.Empty(_violations);
        Assert.Equal(2, _invariants.Consumed);
    }

    [Fact]
    public void A_ledger_that_forgets_is_seen()
    {
        Send(0);
        Deliver(0);
        Learn(0);
        var (saved, frames) = (new ImpalaState(_state.Learner, _shape).Save(), _state.Learner.Frames);
        _state.Resume(saved, 0, 0);
        _state.Learner.Frames = frames;
        _invariants.Check();
        _invariants.Finished(_state.Report(), 0);
        Assert.Contains(_violations, text => text.StartsWith("Consumed once", StringComparison.Ordinal));
    }

    [Fact]
    public void An_unroll_that_is_learned_from_twice_is_seen()
    {
        Send(0);
        Deliver(0);
        Learn(0);
        Deliver(0);
        _state.Learner.Frames += _shape.Frames;
        _invariants.Check();
        AssertOnly("Consumed once");
    }

    [Fact]
    public void An_unroll_that_was_rolled_back_and_is_consumed_again_is_seen()
    {
        Send(0);
        Deliver(0);
        Learn(0);
        var next = new ImpalaState(_state.Learner, _shape);
        next.Begin(1);
        next.Learner.Frames = 0;
        _invariants.LeaderStarted(next);
        Assert.Equal(1, _invariants.RolledBack);
        Deliver(0);
        next.Ledger.TryConsume(Id(0));
        _invariants.Check();
        AssertOnly("Consumed once");
    }

    [Fact]
    public void An_acknowledgement_of_what_was_not_consumed_is_seen()
    {
        Send(0);
        See(new CreditReturned(Id(0), UnrollOutcome.Consumed));
        AssertOnly("Acknowledged means consumed");
    }

    [Fact]
    public void A_refusal_of_what_was_consumed_is_seen()
    {
        Send(0);
        Deliver(0);
        Learn(0);
        See(new CreditReturned(Id(0), UnrollOutcome.TableFull));
        AssertOnly("Refused means not consumed");
    }

    [Fact]
    public void More_in_flight_than_there_are_credits_is_seen()
    {
        See(new CreditsGranted(0, 0, 2));
        See(new WorkerReport(0, 0, 3, 0, 1, 0, 0, 0, 0));
        Assert.Empty(_violations);
        See(new WorkerReport(0, 0, 4, 0, 1, 0, 0, 0, 0));
        AssertOnly("Bounded in flight");
    }

    [Fact]
    public void Unrolls_out_of_order_are_seen()
    {
        Send(1);
        Send(0);
        AssertOnly("A worker's unrolls come in order");
    }

    [Fact]
    public void Weights_older_than_those_before_are_seen()
    {
        Publish(1);
        Send(0, version: 1);
        Send(1, version: 0);
        AssertOnly("Versions grow");
    }

    [Fact]
    public void Weights_of_another_epoch_are_seen()
    {
        See(new InsertUnroll(new Unroll(_shape) { Id = Id(0), Version = new ParameterVersion(7, 0) }));
        AssertOnly("Versions are those of the run");
    }

    [Fact]
    public void Weights_that_change_on_their_way_are_seen()
    {
        See(new ParametersChunk(new ParameterVersion(0, 0), _snapshots.Parameters, 0, new float[_snapshots.Parameters]));
        AssertOnly("Weights arrive as they were published");
    }

    [Fact]
    public void An_unroll_that_changes_on_its_way_is_seen()
    {
        var unroll = new Unroll(_shape) { Id = Id(0) };
        See(new InsertUnroll(unroll));
        unroll.Rewards[0] = 1;
        See(new BatchReady([unroll]));
        AssertOnly("An unroll does not change");
    }

    [Fact]
    public void An_unroll_that_changes_while_the_learner_has_it_is_seen()
    {
        var unroll = new Unroll(_shape) { Id = Id(0) };
        See(new InsertUnroll(unroll));
        See(new BatchReady([unroll]));
        unroll.Rewards[0] = 1;
        See(new BatchConsumed([unroll.Id]));
        AssertOnly("An unroll does not change");
    }

    [Theory]
    [InlineData(1, 0, null)]
    [InlineData(0, 0, "Acknowledged means consumed or rolled back")]
    [InlineData(0, 1, null)]
    public void What_a_node_knows_was_consumed_and_the_learner_does_not_count_is_seen(int counted, int restarts, string? violation)
    {
        Send(0);
        Deliver(0);
        Learn(0);
        See(new CreditsGranted(0, 0, 2));
        See(new CreditReturned(Id(0), UnrollOutcome.Consumed));
        See(new WorkerReport(0, 0, 1, 1, 0, 0, 0, 0, 0));
        var next = new ImpalaState(_state.Learner, _shape);
        next.Begin(1);
        next.Learner.Frames = 0;
        _invariants.LeaderStarted(next);
        next.CountRolledBack([new ConsumptionClaim(0, 0, counted)], 0);
        for (var i = 0; i < restarts; i++) _invariants.ProcessStarted(Here);
        See(new WorkAssigned("", "", new BuildFacts("", 0, 0, ""), 1, 0, 1));
        _invariants.Ended();
        if (violation is null) Assert.Empty(_violations);
        else AssertOnly(violation);
    }

    [Fact]
    public void A_run_that_ends_early_is_seen()
    {
        _invariants.Finished(_state.Report(), 6);
        AssertOnly("The run reaches its end");
    }

    private static UnrollId Id(long sequence) => new(0, 0, sequence);

    private void Send(long sequence, long version = 0) =>
        See(new InsertUnroll(new Unroll(_shape) { Id = Id(sequence), Version = new ParameterVersion(0, version) }));

    private void Deliver(long sequence) => See(new BatchReady([new Unroll(_shape) { Id = Id(sequence) }]));

    private void Learn(long sequence)
    {
        _state.Ledger.TryConsume(Id(sequence));
        _state.Learner.Frames += _shape.Frames;
        _invariants.Check();
    }

    private void Publish(long counter) =>
        See(new PublishParameters(_snapshots.Take(new ParameterVersion(0, counter), _state.Learner.Parameters)));

    private void See(object message) => _invariants.Observe(_anywhere, message, Here);

    private void AssertOnly(string expected) => Assert.StartsWith(expected, Assert.Single(_violations));
}

using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

public sealed class EnvironmentWorkerTests
{
    private static readonly UnrollShape Shape = new(3, 2, ScriptedEnvironments.SharedSpec.Observation, 2);
    private static readonly TimeSpan CreditTimeout = TimeSpan.FromSeconds(8);

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(3);
    private readonly List<object> _toReplay = [], _toObserver = [];
    private readonly List<Exception> _failures = [];
    private readonly ParameterCell _cell = new();
    private readonly PolicyValueNetwork _network = PolicyValueNetwork.Create(
        new NetworkOptions { Torso = "mlp", Hidden = [4] }, ScriptedEnvironments.SharedSpec.Observation, 2);
    private readonly SnapshotPool _snapshots;
    private readonly IActorRef _replay, _cache, _observer;
    private readonly ActorSystem _system;
    private Func<RandomStream, IEnvironmentBatch> _createEnvironments = _ => new ScriptedEnvironments(Shape.Environments);
    private IActorRef _worker = ActorRefs.Nobody;

    public EnvironmentWorkerTests()
    {
        _snapshots = new SnapshotPool(_network.Layout.Count);
        _system = _simulation.CreateSystem("test", new EmbeddedEngine.Options
        {
            Dispatchers = new Dictionary<string, EmbeddedEngine.DispatcherKind> { [WorkerPool.Dispatcher] = EmbeddedEngine.DispatcherKind.Pinned },
        });
        _replay = _system.ActorOf(Props.Create(() => new Probe(_toReplay)), "replay");
        _observer = _system.ActorOf(Props.Create(() => new Probe(_toObserver)), "observer");
        _cache = _system.ActorOf(Props.Create(() => new ParameterCacheActor(_replay, _cell, new SnapshotPool(1))), "cache");
    }

    private IReadOnlyList<Unroll> Unrolls => [.. _toReplay.OfType<InsertUnroll>().Select(message => message.Unroll)];

    [Fact]
    public void A_worker_sends_one_unroll_a_credit_once_it_has_weights()
    {
        StartWorker();
        Grant(2);
        Assert.Empty(Unrolls);
        Publish(5);
        Assert.Equal([new UnrollId(0, 0, 0), new UnrollId(0, 0, 1)], Unrolls.Select(unroll => unroll.Id));
        Assert.All(Unrolls, unroll => Assert.Equal(new ParameterVersion(0, 5), unroll.Version));
    }

    [Fact]
    public void A_returned_credit_gives_the_buffers_back_and_the_next_unroll_acts_with_the_newest_weights()
    {
        StartWorker();
        Publish(1);
        Grant(1);
        Publish(2);
        Publish(3);
        Return(0);
        Assert.Equal(2, Unrolls.Count);
        Assert.Same(Unrolls[0], Unrolls[1]);
        Assert.Equal(new ParameterVersion(0, 3), Unrolls[1].Version);
    }

    [Fact]
    public void A_lost_credit_times_out_and_its_buffers_are_never_reused()
    {
        StartWorker();
        Publish(1);
        Grant(1);
        _simulation.Advance(2 * CreditTimeout);
        Assert.Equal(2, Unrolls.Count);
        Assert.NotSame(Unrolls[0], Unrolls[1]);
        Return(0);
        Assert.Equal(2, Unrolls.Count);
    }

    [Fact]
    public void A_worker_reports_what_became_of_its_unrolls_when_it_ends()
    {
        StartWorker();
        Publish(1);
        Grant(3);
        Return(0);
        Tell(_worker, new CreditReturned(new UnrollId(0, 0, 1), UnrollOutcome.TableFull));
        Tell(_worker, PoisonPill.Instance);
        Assert.Equal(new WorkerReport(0, 0, 4, 1, 0, 0, 1, 0, 0), _toObserver[^1]);
    }

    [Fact]
    public void A_reward_that_is_no_number_is_the_environments_fault()
    {
        _createEnvironments = _ => new FailingEnvironments(stepsUntilFailure: 100, reward: float.NaN);
        StartPool();
        Publish(1);
        for (var incarnation = 0; incarnation < 10; incarnation++) Grant(1, incarnation);
        Assert.Contains("Environment 0 of 'scripted' gave the reward NaN", Assert.Single(_failures).Message);
    }

    [Fact]
    public void A_worker_that_fails_begins_again_as_its_next_incarnation()
    {
        _createEnvironments = random => new FailingEnvironments(stepsUntilFailure: 4);
        StartPool();
        Publish(1);
        Grant(2);
        Assert.Equal([0, 1], _toReplay.OfType<RegisterWorker>().Select(message => message.Incarnation));
        Assert.Single(Unrolls);
        Grant(1, incarnation: 1);
        Assert.Equal(new UnrollId(0, 1, 0), Unrolls[^1].Id);
    }

    [Fact]
    public void An_environment_that_cannot_be_made_ends_the_pool_with_its_reason()
    {
        _createEnvironments = _ => throw new InvalidOperationException("no such game");
        StartPool();
        Assert.Contains("no such game", Assert.Single(_failures).GetBaseException().Message);
    }

    [Fact]
    public void Environments_that_have_given_up_end_the_pool_at_once()
    {
        var made = 0;
        _createEnvironments = _ => new FailingEnvironments(stepsUntilFailure: 4, failure: new EnvironmentException($"failure {++made}") { IsFinal = true });
        StartPool();
        Publish(1);
        Grant(2);
        Assert.Equal("failure 1", Assert.Single(_failures).Message);
        Assert.Equal(1, made);
    }

    [Fact]
    public void Environments_are_disposed_of_where_their_worker_cannot_be_made()
    {
        var environments = new FailingEnvironments(stepsUntilFailure: 4, failsAtReset: true);
        _createEnvironments = _ => environments;
        StartPool();
        Assert.Single(_failures);
        Assert.True(environments.IsDisposed);
    }

    [Fact]
    public void A_worker_that_keeps_failing_ends_the_pool_with_the_last_reason()
    {
        _createEnvironments = _ => new FailingEnvironments(stepsUntilFailure: 0);
        StartPool();
        Publish(1);
        for (var incarnation = 0; incarnation < 10; incarnation++) Grant(1, incarnation);
        var failure = Assert.IsType<WorkerFailedException>(Assert.Single(_failures));
        Assert.Contains("worker-0", failure.Message);
        Assert.Contains("the game crashed", failure.Message);
    }

    private void StartWorker()
    {
        var (setup, identity) = (Setup(), new WorkerIdentity(0, 0));
        _worker = _system.ActorOf(Props.Create(() => new EnvironmentWorker(setup, identity, _replay, _cache, _cell, _observer)), "worker");
        Settle();
    }

    private void StartPool()
    {
        IReadOnlyList<WorkerIdentity> identities = [new WorkerIdentity(0, 0)];
        var setup = Setup();
        Func<WorkerIdentity, Props> worker = identity => Props.Create(
            () => new EnvironmentWorker(setup, identity, _replay, _cache, _cell, _observer));
        var pool = Props.Create(() => new WorkerPool(worker, identities));
        _system.ActorOf(Props.Create(() => new StoppingParent(pool, _failures)), "parent");
        Settle();
        _worker = Resolved("/user/parent/child/worker-0");
    }

    private IActorRef Resolved(string path)
    {
        var found = _system.ActorSelection(path).ResolveOne(TimeSpan.FromSeconds(1));
        _simulation.Advance(TimeSpan.FromSeconds(2));
        return found.IsCompletedSuccessfully ? found.Result : ActorRefs.Nobody;
    }

    private WorkerSetup Setup() => new(random => _createEnvironments(random), _network, Shape, 1, 0.99f, 1, 0, CreditTimeout);

    private void Grant(int count, int incarnation = 0) => Tell(_worker, new CreditsGranted(0, incarnation, count));

    private void Return(long sequence) => Tell(_worker, new CreditReturned(new UnrollId(0, 0, sequence), UnrollOutcome.Consumed));

    private void Publish(long counter) => Tell(
        _cache, new ParametersPublished(_snapshots.Take(new ParameterVersion(0, counter), new float[_network.Layout.Count])));

    private void Tell(IActorRef to, object message)
    {
        to.Tell(message);
        Settle();
    }

    private void Settle() => _simulation.Advance(TimeSpan.FromMilliseconds(1));

    private sealed class FailingEnvironments(
        int stepsUntilFailure, float? reward = null, Exception? failure = null, bool failsAtReset = false) : IEnvironmentBatch, IDisposable
    {
        private readonly ScriptedEnvironments _inner = new(Shape.Environments);
        private int _left = stepsUntilFailure;

        public EnvironmentSpec Spec => _inner.Spec;

        public int Count => _inner.Count;

        public bool IsDisposed { get; private set; }

        public void Reset(Span<byte> observations)
        {
            if (failsAtReset) throw new InvalidOperationException("no reset today");
            _inner.Reset(observations);
        }

        public void Step(ReadOnlySpan<int> actions, in StepResults results)
        {
            if (_left-- == 0) throw failure ?? new InvalidOperationException("the game crashed");
            _inner.Step(actions, results);
            if (reward is { } value) results.Rewards[0] = value;
        }

        public void Step(ReadOnlySpan<float> actions, in StepResults results) => _inner.Step(actions, results);

        public void Render(int index, TextCanvas canvas) => _inner.Render(index, canvas);

        public void Dispose() => IsDisposed = true;
    }
}

using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

/// <summary>A learner of two shards, whose servers the test plays.</summary>
public sealed class RemoteLearnerActorTests
{
    private const int Steps = 4, Epoch = 1, Shards = 2, ReplayStart = 20_000;

    private static readonly ActionValueNetwork Network =
        ActionValueNetwork.Create(new NetworkOptions { Hidden = [400] }, TwoStates.SharedSpec.Observation, 2);

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(1);
    private readonly List<object>[] _received = [[], []];
    private readonly IActorRef[] _servers, _caches;
    private readonly SnapshotPool[] _pools;
    private readonly ShardRange[] _ranges = ShardRange.Split(Network.Layout.Count, Shards);
    private readonly ActorSystem _system;
    private IActorRef _learner = ActorRefs.Nobody;

    public RemoteLearnerActorTests()
    {
        _system = _simulation.CreateSystem("rl", new EmbeddedEngine.Options());
        _servers = Array.ConvertAll(_received, list => _system.ActorOf(Props.Create(() => new Probe(list))));
        _pools = Array.ConvertAll(_ranges, range => new SnapshotPool(range.Count));
        _caches = new IActorRef[Shards];
    }

    [Fact]
    public void What_a_long_filling_of_the_memory_gave_is_told_in_bounded_reports_and_once()
    {
        Start(ReplayStart);
        for (var sequence = 0; sequence < 4; sequence++) Answer(sequence, GradientRejection.None);
        var parts = Pushes(0).Concat(Pushes(1)).ToList();
        Assert.Equal(4, parts.Count(part => part.Id.Sequence == 0));
        // Each third step ends an episode.
        var first = parts.Where(part => part.Id.Sequence == 0).OrderBy(part => part.Offset).ToList();
        Assert.Equal(GradientCodecs.MaxReportedEpisodes, first[0].Segment.EpisodeReturns.Length);
        Assert.InRange(first[0].Segment.Frames, ReplayStart, 2 * ReplayStart);
        Assert.All(first, part => Assert.Equal(first[0].Segment.Frames, part.Segment.Frames));
        Assert.All(parts, part => Assert.InRange(part.Segment.EpisodeReturns.Length, 0, part.Offset == 0 ? GradientCodecs.MaxReportedEpisodes : 0));
        var told = parts.Where(part => part.Offset == 0).Sum(part => part.Segment.EpisodeReturns.Length);
        var frames = parts.Where(part => part.Offset == 0).Sum(part => part.Segment.Frames);
        Assert.Equal(frames / 3, told);
    }

    [Fact]
    public void One_whose_gradient_was_stale_waits_for_newer_parameters_of_the_shard_that_says_so()
    {
        Start(replayStart: 16);
        Assert.Equal([0, 1], Sequences());
        Answer(0, GradientRejection.Stale);
        Settle(seconds: 3);
        Assert.Equal([0, 1], Sequences());
        // The other shard's are of no use.
        Publish(0, 5);
        Settle(seconds: 3);
        Assert.Equal([0, 1], Sequences());
        Publish(1, 7);
        Settle();
        Assert.Equal([0, 1, 2], Sequences());
        Assert.Equal((5, 7), (Pushes(0)[^1].Version.Counter, Pushes(1)[^1].Version.Counter));
        // This one was computed with the old ones, too: those that it has now are not refused yet.
        Answer(1, GradientRejection.Stale);
        Assert.Equal([0, 1, 2, 3], Sequences());
    }

    private void Start(int replayStart)
    {
        var options = new GorilaOptions
        {
            SegmentLength = Steps, BatchSize = 16, ReplayCapacity = 2 * ReplayStart, ReplayStart = replayStart, OutlierDeviations = 0, FetchInterval = Steps,
        };
        var (target, memory) = (new FixedTarget(new float[Network.Layout.Count]), new TransitionMemory(TwoStates.SharedSpec.Observation, 2 * ReplayStart));
        var setup = new RemoteLearnerSetup(
            (place, _) => new GorilaLearner(
                place, new GorilaMemory(Network, options), target, new ReplayHere(memory, 1, replayStart, place.Stream(StreamRole.Replay)), new TwoStates()),
            Network.Layout.Count, "run", 1, 40, new ParameterServerOptions { ChunkKilobytes = 2 }, TimeSpan.FromHours(1));
        var cells = Array.ConvertAll(_ranges, range => new LearnerCells(range, new ParameterCell(), null));
        for (var i = 0; i < Shards; i++)
        {
            var (nobody, cell, pool) = (ActorRefs.Nobody as IActorRef, cells[i].Parameters, _pools[i]);
            _caches[i] = _system.ActorOf(Props.Create(() => new ParameterCacheActor(nobody, cell, pool)));
            Publish(i, 0);
        }
        var (identity, finder) = (new WorkerIdentity(3, 0), _system.ActorOf(Props.Create(() => new Probe(new List<object>()))));
        IReadOnlyList<IActorRef> caches = _caches;
        _learner = _system.ActorOf(Props.Create(() => new RemoteLearnerActor(setup, identity, finder, caches, cells, finder)));
        for (var i = 0; i < Shards; i++) _learner.Tell(new ServerPlaced(i, Epoch, _servers[i]));
        Settle();
        for (var i = 0; i < Shards; i++) Tell(i, new LearnerRegistered(3, 0, 2, 0, i));
        Settle();
    }

    private void Publish(int shard, long counter) => _caches[shard].Tell(
        new ParametersPublished(_pools[shard].Take(new ParameterVersion(Epoch, counter), new float[_ranges[shard].Count])));

    /// <summary>The second shard says this of a gradient, the first one has applied it.</summary>
    private void Answer(long sequence, GradientRejection second)
    {
        var (id, newest) = (new UnrollId(3, 0, sequence), new ParameterVersion(Epoch, 100));
        Tell(0, new GradientAcknowledged(id, GradientRejection.None, newest, 0, 0));
        Tell(1, new GradientAcknowledged(id, second, newest, 0, 1));
        Settle();
    }

    private void Tell(int server, object message) => _servers[server].Tell(new Probe.Send(_learner, message));

    private List<PushGradient> Pushes(int server) => [.. _received[server].OfType<PushGradient>()];

    private IEnumerable<long> Sequences()
    {
        var sequences = Pushes(0).Select(push => push.Id.Sequence).Distinct().ToList();
        Assert.Equal(sequences, Pushes(1).Select(push => push.Id.Sequence).Distinct());
        return sequences;
    }

    private void Settle(double seconds = 0.05) => _simulation.Advance(TimeSpan.FromSeconds(seconds));

    private sealed class FixedTarget(float[] values) : ITargetParameters
    {
        public float[] Values => values;
    }
}

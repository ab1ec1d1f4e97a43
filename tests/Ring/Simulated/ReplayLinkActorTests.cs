using Akka.Actor;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests.Simulated;

public sealed class ReplayLinkActorTests
{
    private const int BatchSize = 2;

    private static readonly UnrollShape Shape = new(2, 1, new ObservationSpec(ElementType.UInt8, 1), 2);

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(7);
    private readonly List<object> _received = [];
    private readonly List<(long Number, double At)> _asked = [];
    private readonly HashSet<long> _answered = [];
    private readonly IActorRef _owner, _link;
    private readonly RemoteReplay _replay;

    public ReplayLinkActorTests()
    {
        var system = _simulation.CreateSystem("test");
        _owner = system.ActorOf(Props.Create(() => new Probe(_received)), "owner");
        var path = _owner.Path;
        _link = system.ActorOf(Props.Create(() => new ReplayLinkActor(path, TimeSpan.FromSeconds(30))), "link");
        var shared = new SharedParameters(new float[1], new SharedParametersOptions());
        _replay = new RemoteReplay(new LearnerPlace(0, 1, 1, 1000, shared, shared.CreateLocal(), new LearnerLog()), Shape, BatchSize, _link);
        Advance(0.01);
        Answer(new CreditsGranted(0, 1, 2));
        Assert.Equal([0, 1], Requests());
    }

    [Fact]
    public void Of_a_slow_link_every_answer_is_taken_and_it_is_soon_asked_for_no_more_than_are_wanted()
    {
        var taken = 0;
        for (var second = 0.0; second < 60; second += 0.5)
        {
            // Each answer is 3 s late.
            foreach (var (number, _) in _asked.Where(request => request.At <= second - 3 && _answered.Add(request.Number)).ToList()) Answer(Drawn(number));
            taken += Taken();
            Note(second);
            Advance(0.5);
        }
        // Two at a time: 40 at most; some requests at the beginning are made twice.
        Assert.InRange(taken, 30, 45);
        Assert.InRange(_asked.Count, taken, taken + 8);
    }

    [Fact]
    public void What_got_lost_is_asked_for_again_within_seconds()
    {
        Advance(2);
        Assert.Equal([0, 1, 2, 3], Requests());
        Answer(Drawn(2));
        Assert.True(_replay.TrySample(new TransitionBatch(Shape.Observation, BatchSize)));
    }

    [Fact]
    public void Late_answers_are_taken_as_long_as_there_is_room_and_those_of_another_life_never()
    {
        Advance(2);
        Answer(Drawn(2) with { Incarnation = 0 });
        Answer(Drawn(99));
        Assert.Equal(0, Taken());
        foreach (var number in (long[])[0, 1]) Answer(Drawn(number));
        Assert.Equal(2, Taken());
        // Those that are waited for first, then there is no room.
        foreach (var number in (long[])[2, 3, 0, 1]) Answer(Drawn(number));
        Assert.Equal(2, Taken());
    }

    private int Taken()
    {
        var (taken, batch) = (0, new TransitionBatch(Shape.Observation, BatchSize));
        while (_replay.TrySample(batch)) taken++;
        return taken;
    }

    // When requests were seen first.
    private void Note(double second)
    {
        foreach (var number in Requests().Skip(_asked.Count)) _asked.Add((number, second));
    }

    private List<long> Requests() => [.. _received.OfType<RequestTransitions>().Select(request => request.Number)];

    private static TransitionsDrawn Drawn(long number) =>
        new(0, 1, number, new byte[2 * BatchSize], new int[BatchSize], new float[BatchSize], new float[BatchSize]);

    private void Answer(object message)
    {
        _owner.Tell(new Probe.Send(_link, message));
        Advance(0.01);
    }

    private void Advance(double seconds) => _simulation.Advance(TimeSpan.FromSeconds(seconds));
}

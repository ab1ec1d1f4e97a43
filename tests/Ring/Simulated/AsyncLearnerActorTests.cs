using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

public sealed class AsyncLearnerActorTests
{
    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(5);
    private readonly List<object> _heard = [];
    private readonly List<FakeLearners> _made = [];
    private readonly SharedParameters _shared = new(new float[4], new SharedParametersOptions());
    private readonly IActorRef _first, _second;
    private int _firstFailsAfter = int.MaxValue;

    public AsyncLearnerActorTests()
    {
        var system = _simulation.CreateSystem("test");
        var observer = system.ActorOf(Props.Create(() => new Probe(_heard)), "observer");
        var setup = new AsyncLearnerSetup(Make, _shared, 10_000);
        var (zero, one) = (new WorkerIdentity(0, 2), new WorkerIdentity(1, 2));
        _first = system.ActorOf(Props.Create(() => new AsyncLearnerActor(setup, zero, observer)), "first");
        _second = system.ActorOf(Props.Create(() => new AsyncLearnerActor(setup, one, observer)), "second");
    }

    [Fact]
    public void They_run_until_all_frames_are_done_and_report_every_one_of_them()
    {
        _simulation.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10_000, _shared.Frames);
        Assert.Equal(10_000, _heard.OfType<LearnersReport>().Sum(report => report.Progress.Frames));
        Assert.Equal([0, 1], _heard.OfType<LearnersFinished>().Select(finished => finished.Group).Order());
        Assert.All(_made, learners => Assert.Equal(WorkerIdentity.FirstIncarnation(2), learners.Incarnation));
        Assert.All(_made, learners => Assert.True(learners.Runs > 1000));
    }

    [Fact]
    public void One_that_is_told_to_stop_says_what_it_did_and_does_no_more()
    {
        _first.Tell(StopLearning.Instance);
        _simulation.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10_000, _heard.OfType<LearnersReport>().Sum(report => report.Progress.Frames));
        Assert.Equal(2, _heard.OfType<LearnersFinished>().Count());
        Assert.True(_made[0].Runs <= 64);
    }

    [Fact]
    public void One_whose_environment_fails_begins_anew_as_the_next_incarnation()
    {
        _firstFailsAfter = 10;
        _simulation.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_made[0].IsDisposed);
        Assert.Equal(3, _made.Count);
        Assert.Equal(10_000, _shared.Frames);
        Assert.Contains(_heard.OfType<LearnersReport>(), report => report.Incarnation == WorkerIdentity.FirstIncarnation(2) + 1);
    }

    private FakeLearners Make(int incarnation)
    {
        var learners = new FakeLearners(_shared, incarnation, _made.Count == 0 ? _firstFailsAfter : int.MaxValue);
        _made.Add(learners);
        return learners;
    }

    private sealed class FakeLearners(SharedParameters shared, int incarnation, int failsAfter) : IAsyncLearners
    {
        private readonly LearnerLog _log = new();

        public int Incarnation => incarnation;

        public int Runs { get; private set; }

        public bool IsDisposed { get; private set; }

        public void Run()
        {
            if (Runs == failsAfter) throw new InvalidOperationException("The environment is broken.");
            shared.AddFrames(4);
            _log.AddFrames(4);
            Runs++;
        }

        public LearnerProgress TakeProgress() => _log.Take();

        public void Dispose() => IsDisposed = true;
    }
}

using Akka.Actor;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What an actor of asynchronous learners works with.</summary>
/// <param name="Create">Makes its learners for the incarnation that begins; called on their thread.</param>
/// <param name="Shared">The parameters, and the frames of all learners.</param>
/// <param name="TotalFrames">It ends when so many are done, all learners together.</param>
/// <param name="SegmentsPerTurn">So many at most before others have their turn, also where time stands still.</param>
public sealed record AsyncLearnerSetup(Func<int, IAsyncLearners> Create, SharedParameters Shared, long TotalFrames, int SegmentsPerTurn = 64)
{
    /// <summary>A report comes after so many frames at the latest: a hundredth of the run.</summary>
    public long ReportFrames => Math.Max(1, TotalFrames / 100);
}

/// <summary>
/// Is responsible for some learners of a process: runs them, segment by segment, until all frames are done or it is told to stop, and
/// says what they did. Runs on a pinned dispatcher.
/// </summary>
public sealed class AsyncLearnerActor : ReceiveActor
{
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(10), ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly AsyncLearnerSetup _setup;
    private readonly IActorRef _observer;
    private readonly IAsyncLearners _learners;
    private readonly int _group, _incarnation;
    private TimeSpan _reportedAt;
    private long _framesAtReport;
    private bool _finished;

    /// <param name="setup">What it works with.</param>
    /// <param name="identity">Which actor of the run it is.</param>
    /// <param name="observer">Hears of its progress.</param>
    public AsyncLearnerActor(AsyncLearnerSetup setup, WorkerIdentity identity, IActorRef observer)
    {
        (_setup, _observer) = (setup, observer);
        (_group, _incarnation) = (identity.Index, identity.BeginIncarnation());
        _learners = setup.Create(_incarnation);
        Receive<Continue>(_ => OnContinue());
        Receive<StopLearning>(_ => Finish());
    }

    protected override void PreStart()
    {
        (_reportedAt, _framesAtReport) = (Context.System.Scheduler.MonotonicClock, _setup.Shared.Frames);
        Self.Tell(Continue.Instance);
    }

    protected override void PostStop() => _learners.Dispose();

    private void OnContinue()
    {
        if (_finished) return;
        var clock = Context.System.Scheduler;
        var (now, until) = (clock.MonotonicClock, clock.MonotonicClock + SliceTime);
        for (var i = 0; i < _setup.SegmentsPerTurn && now < until; i++)
        {
            if (_setup.Shared.Frames >= _setup.TotalFrames)
            {
                Finish();
                return;
            }
            _learners.Run();
            now = clock.MonotonicClock;
        }
        ReportIfDue(now);
        Self.Tell(Continue.Instance);
    }

    private void ReportIfDue(TimeSpan now)
    {
        var frames = _setup.Shared.Frames;
        if (now - _reportedAt < ReportInterval && frames - _framesAtReport < _setup.ReportFrames) return;
        (_reportedAt, _framesAtReport) = (now, frames);
        Report();
    }

    private void Report() => _observer.Tell(new LearnersReport(_group, _incarnation, _learners.TakeProgress()));

    private void Finish()
    {
        if (_finished) return;
        _finished = true;
        Report();
        _observer.Tell(new LearnersFinished(_group));
    }

    private sealed record Continue
    {
        public static readonly Continue Instance = new();
    }
}

using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

public sealed class TimeSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void The_scheduler_tells_once_and_repeatedly_until_cancelled(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var scheduler = at.System.Scheduler;
        scheduler.ScheduleTellOnce(Ms(10), probe.Ref, "once", ActorRefs.NoSender);
        var repeating = scheduler.ScheduleTellRepeatedlyCancelable(Ms(20), Ms(30), probe.Ref, "again", ActorRefs.NoSender);
        var never = scheduler.ScheduleTellOnceCancelable(Ms(15), probe.Ref, "never", ActorRefs.NoSender);
        never.Cancel();
        at.Advance(9);
        probe.ExpectNoMsg();
        at.Advance(1);
        probe.ExpectMsg("once");
        at.Advance(70); // 20, 50, 80
        for (var i = 0; i < 3; i++) probe.ExpectMsg("again");
        repeating.Cancel();
        Assert.True(repeating.IsCancellationRequested && repeating.Token.IsCancellationRequested);
        at.Advance(100);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_cancelable_can_be_made_before_and_end_by_itself(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        using var cancelable = new Cancelable(at.System.Scheduler);
        cancelable.CancelAfter(Ms(25));
        at.System.Scheduler.ScheduleTellRepeatedly(Ms(10), Ms(10), probe.Ref, "tick", ActorRefs.NoSender, cancelable);
        at.System.Scheduler.ScheduleTellOnce(Ms(30), probe.Ref, "late", ActorRefs.NoSender, cancelable);
        at.Advance(100);
        probe.ExpectMsg("tick");
        probe.ExpectMsg("tick");
        probe.ExpectNoMsg();
        at.System.Scheduler.ScheduleTellOnce(Ms(1), probe.Ref, "too late", ActorRefs.NoSender, cancelable);
        at.Advance(10);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_clock_moves_with_time(string engine)
    {
        using var at = Harness.Start(engine);
        var (now, monotonic) = (at.System.Scheduler.Now, at.System.Scheduler.MonotonicClock);
        at.Advance(1234);
        Assert.Equal(Ms(1234), at.System.Scheduler.Now - now);
        Assert.Equal(Ms(1234), at.System.Scheduler.MonotonicClock - monotonic);
        Assert.Equal(Ms(1234), at.System.Uptime);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Timers_are_told_apart_by_keys(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.Starting = () =>
            {
                act.Timers.StartSingleTimer("single", "first", Ms(10));
                act.Timers.StartSingleTimer("single", "second", Ms(20)); // replaces the first
                act.Timers.StartPeriodicTimer("tick", "tick", Ms(15), Ms(40));
            };
            act.On<string>(text => probe.Ref.Tell(text));
            act.On<int>(_ =>
                probe.Ref.Tell((act.Timers.IsTimerActive("single"), act.Timers.IsTimerActive("tick"), act.Timers.ActiveTimers.Count)));
            act.On<char>(_ => act.Timers.Cancel("tick"));
        });
        actor.Tell(0);
        probe.ExpectMsg((true, true, 2));
        at.Advance(60);
        foreach (var told in new[] { "tick", "second", "tick" }) probe.ExpectMsg(told);
        actor.Tell(0);
        probe.ExpectMsg((false, true, 1));
        actor.Tell('c');
        at.Advance(100);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_cancelled_timer_is_silent_even_if_its_message_already_waits(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        using var held = new ManualResetEventSlim(engine != "threaded");
        var actor = at.Act(act =>
        {
            act.Starting = () => act.Timers.StartSingleTimer("k", "fired", Ms(10));
            act.On<int>(_ =>
            {
                held.Wait(TimeSpan.FromSeconds(30));
                act.Timers.CancelAll();
            });
            act.On<string>(text => probe.Ref.Tell(text));
        });
        at.Settle();
        // Told at the instant that the timer fires, and handled before it: the cancelling wins.
        at.System.Scheduler.ScheduleTellOnce(Ms(9.5), actor, 0, ActorRefs.NoSender);
        held.Set();
        at.Advance(20);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_restart_cancels_timers_and_unstashes(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var incarnation = 0;
        var actor = at.Act(act =>
        {
            var mine = ++incarnation;
            act.On<string>(text =>
            {
                switch (text)
                {
                    case "timer": act.Timers.StartPeriodicTimer("k", "fired", Ms(10)); break;
                    case "fail": throw new InvalidOperationException("broken");
                    case "keep" when mine == 1: act.Stash.Stash(); break;
                    default: probe.Ref.Tell(text + " in " + mine); break;
                }
            });
        });
        foreach (var text in new[] { "timer", "keep", "fail", "after" }) actor.Tell(text);
        probe.ExpectMsg("keep in 2");
        probe.ExpectMsg("after in 2");
        at.Advance(100);
        probe.ExpectNoMsg();
    }
}

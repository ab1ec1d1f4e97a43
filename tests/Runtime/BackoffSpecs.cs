using Akka.Actor;
using Akka.Event;
using Akka.Pattern;

namespace Rl.Distributed.Runtime.Tests;

public sealed class BackoffSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void Pauses_double_up_to_the_longest(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var supervisor = at.System.ActorOf(BackoffSupervisor.Props(
            Backoff.OnStop(Child(probe), "child", Ms(100), Ms(300), 0, -1).WithManualReset()), "backoff");
        probe.ExpectMsg("start");
        foreach (var pause in new[] { 100, 200, 300, 300 })
        {
            supervisor.Tell("stop");
            at.Advance(pause - 1);
            probe.ExpectNoMsg();
            at.Advance(1);
            probe.ExpectMsg("start");
        }
        probe.Send(supervisor, BackoffSupervisor.GetRestartCount.Instance);
        Assert.Equal(4, probe.ExpectMsg<BackoffSupervisor.RestartCount>().Count);
        supervisor.Tell(BackoffSupervisor.Reset.Instance);
        supervisor.Tell("stop");
        at.Advance(100);
        probe.ExpectMsg("start");
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_random_part_lengthens_the_pause(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var supervisor = at.System.ActorOf(BackoffSupervisor.Props(Backoff.OnStop(Child(probe), "child", Ms(100), Ms(100), 0.5, -1)));
        probe.ExpectMsg("start");
        supervisor.Tell("stop");
        at.Advance(99);
        probe.ExpectNoMsg();
        at.Advance(51);
        probe.ExpectMsg("start");
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_count_begins_again_once_the_child_lived_long_enough(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var supervisor = at.System.ActorOf(BackoffSupervisor.Props(
            Backoff.OnStop(Child(probe), "child", Ms(100), Ms(1000), 0, -1).WithAutoReset(Ms(500))));
        probe.ExpectMsg("start");
        for (var i = 0; i < 3; i++)
        {
            supervisor.Tell("stop");
            at.Advance(100);
            probe.ExpectMsg("start");
            at.Advance(500);
        }
        probe.Send(supervisor, BackoffSupervisor.GetRestartCount.Instance);
        Assert.Equal(0, probe.ExpectMsg<BackoffSupervisor.RestartCount>().Count);
    }

    [Theory, MemberData(nameof(Engines))]
    public void OnFailure_starts_anew_after_failures_and_ends_with_a_child_that_stops(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var supervisor = at.System.ActorOf(BackoffSupervisor.Props(Backoff.OnFailure(Child(probe), "child", Ms(100), Ms(1000), 0, -1)));
        probe.ExpectMsg("start");
        probe.Watch(supervisor);
        supervisor.Tell("fail");
        probe.ExpectNoMsg();
        at.Advance(100);
        probe.ExpectMsg("start");
        supervisor.Tell("stop");
        probe.ExpectTerminated(supervisor);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Too_many_restarts_end_the_supervisor(string engine)
    {
        Func<Props, string, TimeSpan, TimeSpan, double, int, BackoffOptions>[] makers = [Backoff.OnFailure, Backoff.OnStop];
        foreach (var make in makers)
        {
            using var at = Harness.Start(engine);
            var probe = at.Probe();
            var options = make(Child(probe), "child", Ms(100), Ms(1000), 0, -1).WithMaxNrOfRetries(1);
            var supervisor = at.System.ActorOf(BackoffSupervisor.Props(options.WithDefaultStoppingStrategy().WithSupervisorStrategy(
                new OneForOneStrategy(1, -1, SupervisorStrategy.DefaultDecider))));
            var failing = make == Backoff.OnFailure ? "fail" : "stop";
            probe.ExpectMsg("start");
            probe.Watch(supervisor);
            supervisor.Tell(failing);
            at.Advance(100);
            probe.ExpectMsg("start");
            supervisor.Tell(failing);
            probe.ExpectTerminated(supervisor);
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void With_the_stopping_strategy_a_failure_is_a_stop(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var supervisor = at.System.ActorOf(BackoffSupervisor.Props(
            Backoff.OnStop(Child(probe), "child", Ms(100), Ms(1000), 0, -1).WithDefaultStoppingStrategy()));
        probe.ExpectMsg("start");
        supervisor.Tell("fail");
        probe.ExpectNoMsg();
        at.Advance(100);
        probe.ExpectMsg("start");
    }

    [Theory, MemberData(nameof(Engines))]
    public void Messages_go_to_the_child_and_in_a_pause_are_answered_or_lost(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        foreach (var reply in new[] { null, "come back later" })
        {
            var options = Backoff.OnStop(Child(probe), "child", Ms(100), Ms(100), 0, -1);
            var supervisor = at.System.ActorOf(BackoffSupervisor.Props(reply is null ? options : options.WithReplyWhileStopped(reply)));
            probe.ExpectMsg("start");
            probe.Send(supervisor, 1);
            probe.ExpectMsg(1);
            probe.Send(supervisor, BackoffSupervisor.GetCurrentChild.Instance);
            Assert.Equal("child", probe.ExpectMsg<BackoffSupervisor.CurrentChild>().Ref.Path.Name);
            supervisor.Tell("stop");
            at.Settle();
            probe.Send(supervisor, 2);
            if (reply is null) Assert.Equal(2, probe.ExpectMsg<DeadLetter>().Message);
            else probe.ExpectMsg(reply);
            probe.Send(supervisor, BackoffSupervisor.GetCurrentChild.Instance);
            Assert.Null(probe.ExpectMsg<BackoffSupervisor.CurrentChild>().Ref);
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void After_the_final_message_the_end_of_the_child_is_the_supervisors(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var supervisor = at.System.ActorOf(BackoffSupervisor.Props(
            Backoff.OnStop(Child(probe), "child", Ms(100), Ms(100), 0, -1).WithFinalStopMessage(message => message is "stop")));
        probe.ExpectMsg("start");
        probe.Watch(supervisor);
        supervisor.Tell("stop");
        probe.ExpectTerminated(supervisor);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() =>
            BackoffSupervisor.Props(Backoff.OnStop(Props.Create<Act>(), "c", TimeSpan.Zero, Ms(1), 0, -1)));
        Assert.Throws<ArgumentException>(() => BackoffSupervisor.Props(Backoff.OnStop(Props.Create<Act>(), "c", Ms(2), Ms(1), 0, -1)));
        Assert.Throws<ArgumentException>(() => BackoffSupervisor.Props(Backoff.OnStop(Props.Create<Act>(), "c", Ms(1), Ms(1), 1.5, -1)));
    }

    private static Props Child(Probe probe) => Act.Of(act =>
    {
        act.Starting = () => probe.Ref.Tell("start");
        act.On<int>(n => probe.Ref.Tell(n));
        act.On<string>(text =>
        {
            if (text == "fail") throw new InvalidOperationException("broken");
            act.Ctx.Stop(act.Me);
        });
    });
}

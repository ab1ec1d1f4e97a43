using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class AskSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void An_answer_ends_the_task(string engine)
    {
        using var at = Harness.Start(engine);
        var actor = Echo(at);
        Assert.Equal("hello", at.Result(actor.Ask<string>("hello", Ms(100))));
        Assert.Equal("hello", at.Result(actor.Ask("hello")));
        Assert.Equal(3, at.Result(actor.Ask(3, Ms(100), CancellationToken.None)));
        Assert.Equal(3, at.Result(actor.Ask<int>(3, CancellationToken.None)));
        Assert.Equal(4, at.Result(actor.Ask(4, CancellationToken.None)));
        Assert.IsAssignableFrom<IActorRef>(at.Result(actor.Ask<object>(self => self, null, CancellationToken.None)));
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_answer_of_another_type_is_an_ArgumentException(string engine)
    {
        using var at = Harness.Start(engine);
        Assert.Throws<ArgumentException>(() => at.Result(Echo(at).Ask<int>("text", Ms(100))));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_failure_as_answer_is_thrown(string engine)
    {
        using var at = Harness.Start(engine);
        var cause = new InvalidOperationException("no");
        Assert.Same(cause,
            Assert.Throws<InvalidOperationException>(() => at.Result(Echo(at).Ask<int>(new Status.Failure(cause), Ms(100)))));
        Assert.Same(cause, ((Status.Failure)at.Result(Echo(at).Ask<object>(new Status.Failure(cause, "state")))).Cause);
        Assert.Equal(5, at.Result(Echo(at).Ask<Status.Success>(new Status.Success(5))).Status);
    }

    [Theory, MemberData(nameof(Engines))]
    public void No_answer_in_time_is_an_AskTimeoutException(string engine)
    {
        using var at = Harness.Start(engine);
        var silent = at.Act(act => act.OnAny(_ => { }));
        var answer = silent.Ask<int>("?", Ms(100));
        at.Advance(99);
        Assert.False(answer.IsCompleted);
        at.Advance(1);
        Assert.Throws<AskTimeoutException>(() => at.Result(answer));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_cancelled_ask_is_cancelled(string engine)
    {
        using var at = Harness.Start(engine);
        using var cancel = new CancellationTokenSource();
        var answer = at.Act(act => act.OnAny(_ => { })).Ask<int>("?", Ms(100), cancel.Token);
        cancel.Cancel();
        Assert.True(at.Eventually(() => answer.IsCanceled));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_second_answer_is_a_dead_letter(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        var actor = at.Act(act => act.OnAny(_ =>
        {
            act.From.Tell("first");
            act.From.Tell("second");
        }));
        Assert.Equal("first", at.Result(actor.Ask<string>("?", Ms(100))));
        Assert.Equal("second", probe.ExpectMsg<DeadLetter>().Message);
    }

    [Theory, MemberData(nameof(Engines))]
    public void PipeTo_tells_the_result_or_the_failure(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.On<string>(_ => Echo(at).Ask<int>(1).PipeTo(act.Me, probe.Ref, n => n + 1, e => e.Message));
            act.On<int>(n => probe.Ref.Tell((n, act.From)));
            act.On<Task>(task => task.PipeTo(act.Me));
            act.On<Status.Failure>(failure => probe.Ref.Tell(failure.Cause.Message));
        });
        actor.Tell("go");
        probe.ExpectMsg((2, probe.Ref));
        actor.Tell(Task.FromException(new InvalidOperationException("failed")));
        probe.ExpectMsg("failed");
        actor.Tell(Task.CompletedTask); // success without a message
        probe.ExpectNoMsg();
        Task.CompletedTask.PipeTo(probe.Ref, success: () => "done");
        probe.ExpectMsg("done");
        Task.FromException<int>(new InvalidOperationException("x")).PipeTo(probe.Ref, failure: e => e.Message + "!");
        probe.ExpectMsg("x!");
    }

    [Fact]
    public void In_a_simulation_a_task_continues_on_its_thread()
    {
        using var at = new SimulatedHarness(1);
        var thread = 0;
        var answer = Echo(at).Ask<int>(1, Ms(100)).ContinueWith(
            _ => thread = Environment.CurrentManagedThreadId, TaskContinuationOptions.ExecuteSynchronously);
        at.Settle();
        Assert.True(answer.IsCompleted);
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    private static IActorRef Echo(Harness at) => at.Act(act => act.OnAny(message => act.From.Tell(message)));
}

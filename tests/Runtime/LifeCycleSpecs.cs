using Akka.Actor;
using Akka.Configuration;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class LifeCycleSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void A_watcher_is_told_of_the_end(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act => act.OnAny(_ => act.Ctx.Stop(act.Me)));
        probe.Watch(actor);
        actor.Tell("stop");
        var terminated = probe.ExpectMsg<Terminated>();
        Assert.Equal((actor, true, false), (terminated.ActorRef, terminated.ExistenceConfirmed, terminated.AddressTerminated));
        Assert.Equal(actor, probe.LastSender);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Watching_the_dead_is_answered_at_once(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(_ => { });
        at.System.Stop(actor);
        at.Settle();
        probe.Watch(actor);
        probe.ExpectTerminated(actor);
    }

    [Theory, MemberData(nameof(Engines))]
    public void WatchWith_tells_the_message_and_Unwatch_nothing(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var (first, second) = (at.Act(_ => { }), at.Act(_ => { }));
        probe.Do(context =>
        {
            context.WatchWith(first, "first is gone");
            context.Watch(second);
            context.Unwatch(second);
        });
        at.Settle();
        at.System.Stop(first);
        at.System.Stop(second);
        probe.ExpectMsg("first is gone");
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_unhandled_Terminated_stops_the_watcher(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var watched = at.Act(_ => { });
        var watcher = at.Act(act => act.Starting = () => act.Ctx.Watch(watched));
        probe.Watch(watcher);
        at.System.EventStream.Subscribe(probe.Ref, typeof(Error));
        at.System.Stop(watched);
        var pact = Assert.IsType<DeathPactException>(probe.ExpectMsg<Error>().Cause);
        Assert.Equal(watched, pact.DeadActor);
        probe.ExpectTerminated(watcher);
    }

    [Theory, MemberData(nameof(Engines))]
    public void PoisonPill_waits_its_turn_and_Stop_does_not(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act => act.On<int>(n => probe.Ref.Tell(n)));
        actor.Tell(1);
        actor.Tell(PoisonPill.Instance);
        actor.Tell(2);
        probe.ExpectMsg(1);
        probe.ExpectNoMsg();

        var stopper = at.Act(act =>
        {
            act.On<string>(_ =>
            {
                act.Me.Tell(3);
                act.Ctx.Stop(act.Me);
            });
            act.On<int>(n => probe.Ref.Tell(n));
        });
        stopper.Tell("go");
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void Kill_stops_by_default(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(_ => { });
        probe.Watch(actor);
        at.System.EventStream.Subscribe(probe.Ref, typeof(Error));
        actor.Tell(Kill.Instance);
        Assert.IsType<ActorKilledException>(probe.ExpectMsg<Error>().Cause);
        probe.ExpectTerminated(actor);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Messages_to_the_dead_are_dead_letters(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act => act.OnAny(_ =>
        {
            act.Me.Tell("too late");
            act.Ctx.Stop(act.Me);
        }));
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        actor.Tell("stop");
        Expect("too late", actor);
        actor.Tell("much too late", probe.Ref);
        Expect("much too late", probe.Ref);
        actor.Tell(PoisonPill.Instance); // not worth a letter
        probe.ExpectNoMsg();

        void Expect(string text, IActorRef sender)
        {
            var letter = probe.ExpectMsg<DeadLetter>();
            Assert.Equal((text, sender, actor), ((string)letter.Message, letter.Sender, letter.Recipient));
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void Children_stop_before_their_parent(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var top = at.Act(act =>
        {
            act.Stopped = () => probe.Ref.Tell("top");
            act.Starting = () => act.Ctx.ActorOf(Act.Of(Nest), "middle");
        });
        at.Settle();
        at.System.Stop(top);
        foreach (var name in new[] { "leaf", "middle", "top" }) probe.ExpectMsg(name);

        void Nest(Act act)
        {
            act.Stopped = () => probe.Ref.Tell("middle");
            act.Starting = () => act.Ctx.ActorOf(Act.Of(leaf => leaf.Stopped = () => probe.Ref.Tell("leaf")), "leaf");
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void Names_are_unique_among_living_siblings(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var first = at.Act(_ => { }, "name");
        Assert.Throws<InvalidActorNameException>(() => at.Act(_ => { }, "name"));
        foreach (var bad in new[] { "", "$x", "a/b", "a b" })
            Assert.Throws<InvalidActorNameException>(() => at.Act(_ => { }, bad));
        probe.Watch(first);
        at.System.Stop(first);
        probe.ExpectTerminated(first);
        at.Settle(); // the parent has heard of it too
        var second = at.Act(_ => { }, "name");
        Assert.Equal(first.Path, second.Path);
        Assert.NotEqual(first, second);
        Assert.NotEqual(0, first.CompareTo(second));
        Assert.NotEqual(at.Act(_ => { }).Path, at.Act(_ => { }).Path);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_context_knows_its_surroundings(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var parent = at.Act(act =>
        {
            act.On<string>(name => act.Ctx.ActorOf<Empty>(name));
            act.On<int>(_ => probe.Ref.Tell((act.Ctx.Child("a"), act.Ctx.Child("none"), act.Ctx.GetChildren().Count(),
                act.Ctx.Parent.Path.Name, act.Ctx.Props.Type)));
        });
        parent.Tell("a");
        parent.Tell("b");
        parent.Tell(0);
        var (a, none, count, above, type) = probe.ExpectMsg<(IActorRef, IActorRef, int, string, Type)>();
        Assert.Equal((parent.Path / "a", 2, "user", typeof(Act)), (a.Path, count, above, type));
        Assert.Same(ActorRefs.Nobody, none);
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_unknown_dispatcher_is_refused_and_the_name_stays_free(string engine)
    {
        using var at = Harness.Start(engine);
        var props = Props.Create(() => new Empty());
        Assert.Throws<ConfigurationException>(() => at.System.ActorOf(props.WithDispatcher("unheard-of"), "name"));
        var probe = at.Probe();
        foreach (var dispatcher in new[] { Harness.Pool, Harness.Pinned })
        {
            var actor = at.System.ActorOf(props.WithDispatcher(dispatcher), "name");
            probe.Send(actor, new Identify(dispatcher));
            Assert.Equal(actor, probe.ExpectMsg<ActorIdentity>().Subject);
            probe.Watch(actor);
            actor.Tell(PoisonPill.Instance);
            probe.ExpectTerminated(actor);
            at.Settle();
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_system_terminates_once_and_runs_its_callbacks(string engine)
    {
        using var at = Harness.Start(engine);
        var (stopped, callbacks) = (0, new List<string>());
        at.System.ActorOf(Act.Of(act => act.Stopped = () => Interlocked.Increment(ref stopped)).WithDispatcher(Harness.Pinned));
        at.Act(act => act.Stopped = () => Interlocked.Increment(ref stopped));
        at.System.RegisterOnTermination(() => callbacks.Add("first registered"));
        at.System.RegisterOnTermination(() => callbacks.Add("last registered"));
        at.Settle();
        Assert.False(at.System.WhenTerminated.IsCompleted);
        at.System.Dispose();
        var again = at.System.Terminate();
        Assert.True(at.Eventually(() => again.IsCompletedSuccessfully && at.System.WhenTerminated.IsCompleted));
        Assert.Equal(2, stopped);
        Assert.Equal(["last registered", "first registered"], callbacks);
        Assert.Throws<InvalidOperationException>(() => at.Act(_ => { }));
    }

    [Theory, MemberData(nameof(Engines))]
    public void GracefulStop_says_whether_the_actor_stopped_in_time(string engine)
    {
        using var at = Harness.Start(engine);
        var willing = at.Act(_ => { });
        Assert.True(at.Result(willing.GracefulStop(Ms(100))));
        var unwilling = at.Act(act => act.OnAny(_ => { }));
        var end = unwilling.GracefulStop(Ms(100), "please");
        at.Advance(99);
        Assert.False(end.IsCompleted);
        at.Advance(2);
        Assert.False(at.Result(end));
    }

    private sealed class Empty : ReceiveActor;
}

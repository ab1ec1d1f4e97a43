using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class FaultSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void A_failure_restarts_the_actor_and_keeps_its_mailbox(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(Error));
        var actor = at.Act(act =>
        {
            var seen = 0;
            act.Starting = () => probe.Ref.Tell("start");
            act.Stopped = () => probe.Ref.Tell("stop");
            act.Restarting = (reason, message) => probe.Ref.Tell($"restarting {reason.Message} {message}");
            act.Restarted = reason => probe.Ref.Tell($"restarted {reason.Message}");
            act.On<string>(message => throw new InvalidOperationException("broken"));
            act.On<int>(_ => probe.Ref.Tell(++seen));
        });
        actor.Tell(0);
        actor.Tell("fail");
        actor.Tell(0);
        probe.ExpectMsg("start");
        probe.ExpectMsg(1);
        var error = probe.ExpectMsg<Error>();
        Assert.Equal(("broken", actor.Path.ToString(), "broken"), (error.Cause.Message, error.LogSource, error.Message));
        foreach (var told in new[] { "restarting broken fail", "stop", "restarted broken", "start" }) probe.ExpectMsg(told);
        probe.ExpectMsg(1); // a fresh instance
    }

    [Theory, MemberData(nameof(Engines))]
    public void Resume_keeps_the_instance_and_its_children(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var child = Failing(at, probe, _ => Directive.Resume);
        child.Tell(1);
        child.Tell("fail");
        child.Tell(1);
        probe.ExpectMsg("start");
        probe.ExpectMsg(1);
        probe.ExpectMsg(2);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void Stop_ends_the_child(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var child = Failing(at, probe, _ => Directive.Stop);
        probe.Watch(child);
        child.Tell("fail");
        probe.ExpectMsg("start");
        probe.ExpectTerminated(child);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Escalate_makes_the_parent_fail_for_the_same_cause(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var top = at.Act(act =>
        {
            act.Supervise(new OneForOneStrategy(cause =>
            {
                probe.Ref.Tell("top decides on " + cause.Message);
                return Directive.Restart;
            }));
            act.Starting = () => act.Ctx.ActorOf(Act.Of(middle =>
            {
                middle.Supervise(new OneForOneStrategy(_ => Directive.Escalate));
                middle.Starting = () =>
                    probe.Ref.Tell(middle.Ctx.ActorOf(Act.Of(leaf => leaf.OnAny(_ => throw new InvalidOperationException("leaf failed")))));
            }));
        });
        var leaf = probe.ExpectMsg<IActorRef>();
        probe.Watch(leaf);
        leaf.Tell("fail");
        probe.ExpectMsg("top decides on leaf failed");
        // The middle actor restarts: its old child stops and a new one is made.
        var (first, second) = (probe.ExpectMsg<object>(), probe.ExpectMsg<object>());
        Assert.Equal(leaf, new[] { first, second }.OfType<Terminated>().Single().ActorRef);
        Assert.NotEqual(leaf, new[] { first, second }.OfType<IActorRef>().Single());
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_resumed_parent_goes_on_with_all_its_children(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.Act(act =>
        {
            act.Supervise(new OneForOneStrategy(_ => Directive.Resume));
            act.Starting = () => act.Ctx.ActorOf(Act.Of(middle =>
            {
                middle.Supervise(new OneForOneStrategy(_ => Directive.Escalate));
                middle.OnAny(message => probe.Ref.Tell("middle " + message));
                middle.Starting = () =>
                {
                    probe.Ref.Tell((middle.Me, Leaf(middle, "a"), Leaf(middle, "b")));
                };
            }));
        });
        var (middle, a, b) = probe.ExpectMsg<(IActorRef, IActorRef, IActorRef)>();
        a.Tell("fail");
        at.Settle();
        middle.Tell(1);
        probe.ExpectMsg("middle 1");
        a.Tell(2);
        probe.ExpectMsg("a 2");
        b.Tell(3);
        probe.ExpectMsg("b 3");

        IActorRef Leaf(Act middle, string name) => middle.Ctx.ActorOf(Act.Of(leaf =>
        {
            leaf.On<int>(n => probe.Ref.Tell(name + " " + n));
            leaf.On<string>(_ => throw new InvalidOperationException("leaf failed"));
        }));
    }

    [Theory, MemberData(nameof(Engines))]
    public void What_cannot_start_is_stopped(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(Error));
        var started = 0;
        foreach (var configure in new Action<Act>[]
        {
            _ => Fail(),
            act => act.Starting = Fail,
        })
        {
            var actor = at.Act(configure);
            Assert.IsType<ActorInitializationException>(probe.ExpectMsg<Error>().Cause);
            probe.Watch(actor);
            probe.ExpectTerminated(actor);
        }
        Assert.Equal(2, started);

        void Fail()
        {
            started++;
            throw new InvalidOperationException("cannot start");
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void What_cannot_start_is_tried_again_if_the_supervisor_says_so(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var attempts = 0;
        at.Act(parent =>
        {
            parent.Supervise(new OneForOneStrategy(_ => Directive.Restart));
            parent.Starting = () => parent.Ctx.ActorOf(Act.Of(act => act.Starting = () =>
            {
                if (++attempts < 3) throw new InvalidOperationException("not yet");
                probe.Ref.Tell("started");
            }));
        });
        probe.ExpectMsg("started");
        Assert.Equal(3, attempts);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Restarts_beyond_the_maximum_stop_the_child(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var child = Failing(at, probe, new OneForOneStrategy(2, -1, _ => Directive.Restart));
        probe.Watch(child);
        for (var i = 0; i < 3; i++) child.Tell("fail");
        for (var i = 0; i < 3; i++) probe.ExpectMsg("start");
        probe.ExpectTerminated(child);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Only_restarts_within_the_time_range_count(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var child = Failing(at, probe, new OneForOneStrategy(1, TimeSpan.FromSeconds(1), _ => Directive.Restart));
        probe.Watch(child);
        probe.ExpectMsg("start");
        for (var i = 0; i < 4; i++)
        {
            child.Tell("fail");
            probe.ExpectMsg("start");
            at.Advance(1001);
        }
        child.Tell("fail");
        child.Tell("fail");
        probe.ExpectMsg("start");
        probe.ExpectTerminated(child);
    }

    [Theory, MemberData(nameof(Engines))]
    public void AllForOne_restarts_the_siblings_too(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.Act(parent =>
        {
            parent.Supervise(new AllForOneStrategy(1, TimeSpan.FromSeconds(1), _ => Directive.Restart));
            parent.Starting = () =>
            {
                foreach (var name in new[] { "a", "b" })
                {
                    parent.Ctx.ActorOf(Act.Of(act =>
                    {
                        act.Starting = () => probe.Ref.Tell(name);
                        act.Stopped = () => probe.Ref.Tell(name + " stopped");
                        act.OnAny(_ => throw new InvalidOperationException("broken"));
                    }), name);
                }
            };
        }, "all");
        at.Settle();
        at.System.ActorSelection("/user/all/a").Tell("fail");
        Expect("a", "b", "a stopped", "b stopped", "a", "b");
        at.System.ActorSelection("/user/all/b").Tell("fail"); // the second within a second: both stop
        Expect("a stopped", "b stopped");

        void Expect(params string[] told)
        {
            var came = told.Select(_ => probe.ExpectMsg<string>()).ToArray();
            Assert.Equal(told.Order(), came.Order());
            probe.ExpectNoMsg();
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void Children_stop_at_a_restart_before_the_fresh_instance_starts(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.Starting = () =>
            {
                probe.Ref.Tell("start");
                act.Ctx.ActorOf(Act.Of(child => child.Stopped = () => probe.Ref.Tell("child stopped")), "child");
            };
            act.OnAny(_ => throw new InvalidOperationException("broken"));
        });
        probe.ExpectMsg("start");
        at.Settle();
        actor.Tell("fail");
        probe.ExpectMsg("child stopped");
        probe.ExpectMsg("start");
    }

    [Theory, MemberData(nameof(Engines))]
    public void Children_that_PreRestart_keeps_are_restarted(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.KeepsChildren = true;
            act.Starting = () =>
            {
                if (act.Ctx.Child("child") is Nobody)
                    act.Ctx.ActorOf(Act.Of(child => child.Restarted = _ => probe.Ref.Tell("child restarted")), "child");
            };
            act.OnAny(_ => throw new InvalidOperationException("broken"));
        });
        at.Settle();
        actor.Tell("fail");
        probe.ExpectMsg("child restarted");
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_strategy_of_the_props_takes_the_place_of_the_actors_own(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var parent = at.System.ActorOf(Act.Of(act =>
        {
            act.Supervise(new OneForOneStrategy(_ => Directive.Restart));
            act.Starting = () =>
                probe.Ref.Tell(act.Ctx.ActorOf(Act.Of(child => child.OnAny(_ => throw new InvalidOperationException("broken")))));
        }).WithSupervisorStrategy(SupervisorStrategy.StoppingStrategy));
        var child = probe.ExpectMsg<IActorRef>();
        probe.Watch(child);
        child.Tell("fail");
        probe.ExpectTerminated(child);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_failure_that_nobody_decides_ends_the_system(string engine)
    {
        using var at = Harness.Start(engine);
        at.System.ActorSelection("/user").Tell(Kill.Instance);
        Assert.True(at.Eventually(() => at.System.WhenTerminated.IsCompleted));
    }

    [Fact]
    public void The_constructors_of_strategies_agree()
    {
        Func<Exception, Directive> decide = _ => Directive.Resume;
        var decider = SupervisorStrategy.DefaultDecider;
        Assert.Equal(new OneForOneStrategy(3, 1000, decider), new OneForOneStrategy((int?)3, TimeSpan.FromSeconds(1), decider));
        Assert.Equal(new OneForOneStrategy(decider), new OneForOneStrategy(-1, -1, decider, loggingEnabled: false));
        Assert.Equal(new OneForOneStrategy(decider).WithMaxNrOfRetries(2), new OneForOneStrategy(2, -1, decider));
        Assert.NotEqual(new OneForOneStrategy(decide, false), new OneForOneStrategy(decide));
        Assert.Equal(new AllForOneStrategy(3, -1, decider), new AllForOneStrategy(3, -1, decider));
        Assert.NotEqual(new AllForOneStrategy(decide), new AllForOneStrategy(null, null, decide));
        Assert.Equal(new AllForOneStrategy(-1, 5, decider).WithinTimeRangeMilliseconds,
            new OneForOneStrategy((int?)null, Ms(5), decide).WithinTimeRangeMilliseconds);
        Assert.Equal(Directive.Resume, new AllForOneStrategy(decide).Decider.Decide(new InvalidOperationException()));
        Assert.Equal(Directive.Stop, SupervisorStrategy.StoppingStrategy.Decider.Decide(new InvalidOperationException()));
        Assert.Equal(Directive.Restart, SupervisorStrategy.DefaultStrategy.Decider.Decide(new InvalidOperationException()));
    }

    private static IActorRef Failing(Harness at, Probe probe, Func<Exception, Directive> decide) =>
        Failing(at, probe, new OneForOneStrategy(decide));

    /// <summary>A child that counts ints and fails for strings.</summary>
    private static IActorRef Failing(Harness at, Probe probe, SupervisorStrategy strategy)
    {
        IActorRef made = null;
        at.Act(parent =>
        {
            parent.Supervise(strategy);
            parent.Starting = () => made = parent.Ctx.ActorOf(Act.Of(act =>
            {
                var seen = 0;
                act.Starting = () => probe.Ref.Tell("start");
                act.On<int>(_ => probe.Ref.Tell(++seen));
                act.On<string>(_ => throw new InvalidOperationException("broken"));
            }));
        });
        Assert.True(at.Eventually(() => Volatile.Read(ref made) is not null));
        at.Settle();
        return made;
    }
}

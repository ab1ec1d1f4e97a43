using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests;

public sealed class RemoteWatchSpecs : RemoteSpecs
{
    [Theory, MemberData(nameof(Engines))]
    public void The_death_of_a_watched_actor_is_told(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var echo = Echo(at, there);
        var remote = at.RefOf(echo, there);
        Watch(at, there, probe, remote);
        there.Stop(echo);
        Assert.Equal(new Terminated(remote, existenceConfirmed: true, addressTerminated: false), probe.ExpectMsg<Terminated>());
        AssertNoWatches(at, at.System, there);
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_last_words_of_an_actor_come_before_its_death(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(at.ActOn(there, act => act.On<Note>(_ =>
        {
            for (var i = 0; i < 200; i++) act.From.Tell(new Note(i.ToString()));
            act.Ctx.Stop(act.Me);
        })), there);
        Watch(at, there, probe, remote);
        probe.Send(remote, new Note("speak and go"));
        for (var i = 0; i < 200; i++) probe.ExpectMsg(new Note(i.ToString()));
        probe.ExpectTerminated(remote);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_watched_actor_that_is_not_there_is_told_as_never_seen(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(Echo(at, there), there);
        Assert.True(at.Result(remote.GracefulStop(Long)));
        probe.Do(context => context.Watch(remote));
        Assert.Equal(new Terminated(remote, existenceConfirmed: false, addressTerminated: false), probe.ExpectMsg<Terminated>());
        AssertNoWatches(at, at.System, there);
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_actor_that_is_no_longer_watched_dies_in_silence(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var (first, second) = (Echo(at, there, "first"), Echo(at, there, "second"));
        var (one, two) = (at.RefOf(first, there), at.RefOf(second, there));
        Watch(at, there, probe, one);
        Watch(at, there, probe, two);
        probe.Do(context => context.Unwatch(one));
        Assert.True(at.Eventually(() => RemoteHarness.HubOf(there).PeerOf(RemoteHarness.AddressOf(at.System)).Watchers.Count == 1));
        there.Stop(first);
        Assert.True(at.Eventually(() => ((LocalActorRef)first).Cell.Mailbox.IsClosed));
        there.Stop(second);
        probe.ExpectTerminated(two);
        probe.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void Systems_that_end_in_order_tell_the_watchers_of_their_actors(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(Echo(at, there), there);
        Watch(at, there, probe, remote);
        there.Terminate();
        Assert.Equal(new Terminated(remote, existenceConfirmed: true, addressTerminated: false), probe.ExpectMsg<Terminated>());
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_system_that_is_lost_ends_all_watches_of_its_actors_once(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var (one, two) = (at.Probe(), at.Probe());
        var (first, second) = (at.RefOf(Echo(at, there, "first"), there), at.RefOf(Echo(at, there, "second"), there));
        Watch(at, there, one, first);
        Watch(at, there, one, second);
        Watch(at, there, two, second);
        at.Crash(there);
        Terminated[] told = [one.ExpectMsg<Terminated>(), one.ExpectMsg<Terminated>()];
        Assert.Equal(new[] { first, second }.ToHashSet(), told.Select(each => each.ActorRef).ToHashSet());
        Assert.All(told, each => Assert.True(each.AddressTerminated && !each.ExistenceConfirmed));
        Assert.True(two.ExpectMsg<Terminated>().AddressTerminated);
        // A late watcher is told at once.
        two.Do(context => context.Watch(first));
        Assert.True(two.ExpectMsg<Terminated>().AddressTerminated);
        one.ExpectNoMsg();
        two.ExpectNoMsg();
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_watched_side_forgets_watchers_of_a_system_that_is_lost(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var watcher = at.ProbeOf(there);
        var echo = Echo(at, at.System);
        var remote = at.RefOf(echo, at.System, there);
        watcher.Do(context => context.Watch(remote));
        var peer = RemoteHarness.HubOf(at.System).PeerOf(RemoteHarness.AddressOf(there));
        Assert.True(at.Eventually(() => peer.Watchers.Count == 1 && WatchersOf(echo) == 1));
        at.Crash(there);
        Assert.True(at.Eventually(() => peer.Watchers.Count == 0 && WatchersOf(echo) == 0));
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_address_where_nobody_answers_is_given_up(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(Echo(at, there), there);
        var stranger = new RemoteActorRef(
            RemoteHarness.HubOf(at.System), Address.Parse("akka.tcp://nobody@127.0.0.1:9"),
            ActorPath.Parse("akka.tcp://nobody@127.0.0.1:9/user/x#1"));
        at.LosePatience();
        probe.Do(context => context.Watch(stranger));
        Assert.Equal(new Terminated(stranger, existenceConfirmed: false, addressTerminated: true), probe.ExpectMsg<Terminated>());
        probe.Send(remote, new Note("others are well"));
        probe.ExpectMsg(new Note("echo others are well"));
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_next_system_at_an_address_is_another_one(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var port = RemoteHarness.AddressOf(there).Port.Value;
        var probe = at.Probe();
        var old = at.RefOf(Echo(at, there), there);
        Watch(at, there, probe, old);
        at.Crash(there);
        var next = at.NewSystem("there", port);
        var echo = Echo(at, next); // made as the old one was, as the first of its system
        var letters = at.ProbeOf(next);
        next.EventStream.Subscribe(letters.Ref, typeof(Akka.Event.DeadLetter));
        Assert.Equal(new Terminated(old, existenceConfirmed: false, addressTerminated: true), probe.ExpectMsg<Terminated>());
        var fresh = at.RefOf(echo, next);
        Assert.NotEqual(old, fresh);
        Assert.Equal("echo hello", at.Result(fresh.Ask<Note>(new Note("hello"), Long)).Text);
        probe.Send(old, new Note("to the old one"));
        Assert.Equal(new Note("to the old one"), letters.ExpectMsg<Akka.Event.DeadLetter>().Message);
        Watch(at, next, probe, fresh);
        next.Stop(echo);
        Assert.Equal(new Terminated(fresh, existenceConfirmed: true, addressTerminated: false), probe.ExpectMsg<Terminated>());
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_incarnation_that_is_declared_dead_does_not_come_back(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(Akka.Event.DeadLetter));
        var heard = 0;
        var ear = at.ActOn(there, act => act.On<Note>(_ => heard++));
        var remote = at.RefOf(ear, there);
        Watch(at, there, probe, remote);
        RemoteHarness.HubOf(at.System).AddressTerminated(remote.Path.Address, RemoteHarness.HubOf(there).Transport.Uid);
        Assert.True(probe.ExpectMsg<Terminated>().AddressTerminated);
        probe.Send(remote, new Note("are you there?"));
        Assert.Equal(new Note("are you there?"), probe.ExpectMsg<Akka.Event.DeadLetter>().Message);
        Assert.Equal(0, heard);
    }

    /// <summary>Waits until the side that is watched knows.</summary>
    private static void Watch(RemoteHarness at, ActorSystem there, Probe probe, IActorRef subject)
    {
        var peer = RemoteHarness.HubOf(there).PeerOf(RemoteHarness.AddressOf(at.System));
        // The system there takes note before its actor does.
        var watched = ((EmbeddedSystem)there).UserGuardian.Cell.ChildNamed(subject.Path.Name);
        var (before, ofActor) = (peer.Watchers.Count, watched is null ? 0 : WatchersOf(watched));
        probe.Do(context => context.Watch(subject));
        Assert.True(at.Eventually(() => peer.Watchers.Count == before + 1 && (watched is null || WatchersOf(watched) > ofActor)));
    }

    private static int WatchersOf(IActorRef actor) => ((LocalActorRef)actor).Cell.WatcherCount;

    private static void AssertNoWatches(RemoteHarness at, params ActorSystem[] systems)
    {
        var hubs = systems.Select(RemoteHarness.HubOf).ToArray();
        Assert.True(at.Eventually(() => hubs.All(hub => hubs.All(other => hub == other || !hub.PeerOf(other.Address).HasWatches))));
    }
}

using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests;

public sealed class RemoteSelectionSpecs : RemoteSpecs
{
    [Theory, MemberData(nameof(Engines))]
    public void A_path_of_another_system_leads_to_its_actors(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var echo = Echo(at, there);
        foreach (var path in new[] { "/user/echo", "/user/../user/echo", "/user/e*", "/*/e?ho" })
        {
            probe.Do(_ => at.System.ActorSelection(At(there, path)).Tell(new Note(path), probe.Ref));
            probe.ExpectMsg(new Note("echo " + path));
        }
        var remote = at.RefOf(echo, there);
        new ActorSelection(remote, "../echo").Tell(new Note("by anchor"), probe.Ref);
        probe.ExpectMsg(new Note("echo by anchor"));
        at.System.ActorSelection(remote.Path).Tell(new Note("by path"), probe.Ref);
        probe.ExpectMsg(new Note("echo by path"));
        Assert.Equal("echo asked", at.Result(at.System.ActorSelection(At(there, "/user/echo")).Ask<Note>(new Note("asked"), Long)).Text);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_pattern_is_resolved_where_the_actors_are(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        for (var i = 0; i < 3; i++) Echo(at, there, "echo-" + i);
        at.System.ActorSelection(At(there, "/user/echo-*")).Tell(new Identify("who"), probe.Ref);
        var found = Enumerable.Range(0, 3).Select(_ => probe.ExpectMsg<ActorIdentity>()).ToArray();
        Assert.All(found, each => Assert.Equal("who", each.MessageId));
        Assert.Equal(["echo-0", "echo-1", "echo-2"], found.Select(each => each.Subject.Path.Name).Order());
        Assert.All(found, each => Assert.IsType<RemoteActorRef>(each.Subject));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_path_to_nobody_there_is_told_so(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var (probe, letters) = (at.Probe(), at.ProbeOf(there));
        there.EventStream.Subscribe(letters.Ref, typeof(DeadLetter));
        var nowhere = at.System.ActorSelection(At(there, "/user/nobody/here"));
        nowhere.Tell(new Identify(7), probe.Ref);
        var identity = probe.ExpectMsg<ActorIdentity>();
        Assert.Equal((7, null), (identity.MessageId, identity.Subject));
        var resolving = nowhere.ResolveOne(Long);
        Assert.Throws<ActorNotFoundException>(() => at.Result(resolving));
        nowhere.Tell(new Note("lost"), probe.Ref);
        var letter = letters.ExpectMsg<DeadLetter>();
        Assert.Equal((new Note("lost"), "/user/nobody/here"), ((Note)letter.Message, letter.Recipient.Path.ToStringWithoutAddress()));
        Assert.Equal(RemoteHarness.AddressOf(at.System), letter.Sender.Path.Address);
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_address_of_nobody_is_told_so(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        at.System.ActorSelection("akka.tcp://nobody@127.0.0.1:9/user/x").Tell(new Note("lost"), ActorRefs.NoSender);
        Assert.Equal("akka.tcp://nobody@127.0.0.1:9/", probe.ExpectMsg<DeadLetter>().Recipient.Path.ToString());
        var resolving = at.System.ActorSelection("akka.tcp://nobody@127.0.0.1:9/user/x").ResolveOne(Long);
        Assert.Throws<ActorNotFoundException>(() => at.Result(resolving));
    }

    [Theory, MemberData(nameof(Engines))]
    public void Our_own_address_is_no_detour(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var echo = Echo(at, at.System);
        Assert.Same(echo, at.Result(at.System.ActorSelection(At(at.System, "/user/echo")).ResolveOne(Long)));
        // A system there names our actor to us.
        var guide = at.RefOf(at.ActOn(there, act => act.On<Note>(_ =>
            act.From.Tell(new ActorIdentity("it", act.From)))), there);
        var probe = at.Probe();
        probe.Send(guide, new Note("who am I?"));
        Assert.Same(probe.Ref, probe.ExpectMsg<ActorIdentity>().Subject);
        Assert.Equal("echo x", at.Result(at.System.ActorSelection(At(at.System, "/user/echo")).Ask<Note>(new Note("x"), Long)).Text);
        Assert.Equal(0, RemoteHarness.HubOf(at.System).Transport.Counters.Rejected);
    }
}

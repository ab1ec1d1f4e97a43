using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class SelectionSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void A_path_leads_to_an_actor(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var leaf = Tree(at, probe);
        foreach (var path in new[] { "/user/top/leaf", "user/top/leaf", "akka://spec/user/top/leaf", "/user/top/../top/leaf",
            "/user/*/l?af" })
        {
            at.System.ActorSelection(path).Tell(path, probe.Ref);
            probe.ExpectMsg("leaf " + path);
        }
        at.System.ActorSelection(leaf.Path).Tell("by path");
        probe.ExpectMsg("leaf by path");
        new ActorSelection(leaf, "../leaf").Tell("by anchor");
        probe.ExpectMsg("leaf by anchor");
        new ActorSelection(leaf, ["..", "leaf"]).Tell("by elements");
        probe.ExpectMsg("leaf by elements");
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_context_selects_relative_to_its_actor(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        Tree(at, probe);
        at.System.ActorSelection("/user/top").Tell("leaf");
        probe.ExpectMsg("leaf relative");
    }

    [Theory, MemberData(nameof(Engines))]
    public void Identify_and_ResolveOne_find_the_actor(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var leaf = Tree(at, probe);
        at.System.ActorSelection("/user/top/leaf").Tell(new Identify(42), probe.Ref);
        var identity = probe.ExpectMsg<ActorIdentity>();
        Assert.Equal((42, leaf), (identity.MessageId, identity.Subject));
        Assert.Equal(leaf, at.Result(at.System.ActorSelection("/user/top/leaf").ResolveOne(Ms(100))));
        Assert.Equal(leaf, at.Result(at.System.ActorSelection("/user/top/leaf").ResolveOne(Ms(100), CancellationToken.None)));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_path_to_nobody_is_told_so(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        var nowhere = at.System.ActorSelection("/user/nobody/here");
        nowhere.Tell("lost", probe.Ref);
        var letter = probe.ExpectMsg<DeadLetter>();
        Assert.Equal(("lost", "/user/nobody/here"), (letter.Message, letter.Recipient.Path.ToStringWithoutAddress()));
        nowhere.Tell(new Identify(1), probe.Ref);
        Assert.Null(probe.ExpectMsg<ActorIdentity>().Subject);
        Assert.Throws<ActorNotFoundException>(() => at.Result(nowhere.ResolveOne(Ms(100))));
        at.System.ActorSelection("akka://elsewhere/user/top").Tell("lost");
        Assert.Equal("akka://elsewhere/user/top", probe.ExpectMsg<DeadLetter>().Recipient.Path.ToString());
    }

    /// <summary>/user/top/leaf; the leaf reports what it is told.</summary>
    private static IActorRef Tree(Harness at, Probe probe)
    {
        at.Act(top =>
        {
            top.Starting = () => top.Ctx.ActorOf(Act.Of(leaf => leaf.On<string>(text => probe.Ref.Tell("leaf " + text))), "leaf");
            top.On<string>(path => top.Ctx.ActorSelection(path).Tell("relative"));
        }, "top");
        at.Settle();
        return at.Result(at.System.ActorSelection("/user/top/leaf").ResolveOne(Ms(100)));
    }
}

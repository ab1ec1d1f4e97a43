using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

public sealed class TellSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void Messages_of_a_pair_arrive_in_order(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        for (var i = 0; i < 1000; i++) probe.Ref.Tell(i);
        for (var i = 0; i < 1000; i++) probe.ExpectMsg(i);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_handler_is_the_sender_and_elsewhere_there_is_none(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var echo = at.Act(act => act.OnAny(message => act.From.Tell(message)));
        probe.Send(echo, "hello");
        probe.ExpectMsg("hello");
        Assert.Equal(echo, probe.LastSender);

        probe.Ref.Tell("from outside");
        probe.ExpectMsg("from outside");
        Assert.Equal(at.System.DeadLetters, probe.LastSender);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Forward_keeps_the_sender(string engine)
    {
        using var at = Harness.Start(engine);
        var (first, last) = (at.Probe(), at.Probe());
        var middle = at.Act(act => act.OnAny(message => last.Ref.Forward(message)));
        first.Send(middle, 7);
        last.ExpectMsg(7);
        Assert.Equal(first.Ref, last.LastSender);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Telling_null_throws(string engine)
    {
        using var at = Harness.Start(engine);
        Assert.Throws<InvalidMessageException>(() => at.Probe().Ref.Tell(null));
    }

    [Theory, MemberData(nameof(Engines))]
    public void Context_is_valid_only_within_a_handler(string engine)
    {
        using var at = Harness.Start(engine);
        Act leaked = null;
        at.Act(act => leaked = act);
        Assert.True(at.Eventually(() => Volatile.Read(ref leaked) is not null));
        at.Settle();
        Assert.Throws<NotSupportedException>(() => leaked.Me);
        Assert.Throws<NotSupportedException>(() => leaked.From);
        Assert.Throws<InvalidOperationException>(() => new Act(_ => { }));
    }
}

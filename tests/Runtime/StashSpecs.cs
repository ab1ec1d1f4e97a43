using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public sealed class StashSpecs : Specs
{
    [Theory, MemberData(nameof(Engines))]
    public void UnstashAll_brings_messages_back_in_order_before_all_others(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.On<int>(_ => act.Stash.Stash());
            act.On<string>(_ =>
            {
                probe.Ref.Tell((act.Stash.Count, act.Stash.IsEmpty, act.Stash.NonEmpty));
                act.Stash.UnstashAll();
                act.Turn(() => act.OnAny(message => probe.Ref.Tell(message)));
            });
        });
        foreach (var message in new object[] { 1, 2, 3, "open", 4 }) actor.Tell(message, probe.Ref);
        probe.ExpectMsg((3, false, true));
        for (var i = 1; i <= 4; i++) probe.ExpectMsg(i);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Unstash_brings_back_the_oldest_and_a_predicate_drops_the_rest(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act => Closed(act));
        foreach (var message in new object[] { 1, 2, 3, 4, "one", "even" }) actor.Tell(message);
        probe.ExpectMsg(1);
        probe.ExpectMsg(2);
        probe.ExpectMsg(4);
        probe.ExpectNoMsg();

        void Closed(Act act)
        {
            act.On<int>(_ => act.Stash.Stash());
            act.On<string>(text =>
            {
                Assert.Equal("one", text);
                act.Stash.Unstash();
                act.Push(() =>
                {
                    act.On<int>(n => probe.Ref.Tell(n));
                    act.On<string>(_ => act.Stash.UnstashAll(envelope => (int)envelope.Message % 2 == 0));
                });
            });
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_message_is_stashed_once(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.Act(act => act.OnAny(_ =>
        {
            act.Stash.Stash();
            probe.Ref.Tell(Record.Exception(() => act.Stash.Stash()));
        })).Tell("twice");
        Assert.IsType<IllegalActorStateException>(probe.ExpectMsg<Exception>());
    }

    [Theory, MemberData(nameof(Engines))]
    public void ClearStash_and_Prepend_move_envelopes(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        var actor = at.Act(act =>
        {
            act.On<int>(_ => act.Stash.Stash());
            act.On<string>(_ =>
            {
                var taken = act.Stash.ClearStash().ToList();
                probe.Ref.Tell((taken.Count, act.Stash.Count));
                act.Stash.Prepend(taken.Append(new Envelope(9, probe.Ref)));
                act.Stash.UnstashAll();
                act.Turn(() => act.OnAny(message => probe.Ref.Tell(message)));
            });
        });
        foreach (var message in new object[] { 1, 2, "move" }) actor.Tell(message);
        probe.ExpectMsg((2, 0));
        foreach (var n in new[] { 1, 2, 9 }) probe.ExpectMsg(n);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_stash_left_at_the_end_goes_to_the_dead_letters(string engine)
    {
        using var at = Harness.Start(engine);
        var probe = at.Probe();
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        var actor = at.Act(act => act.OnAny(_ => act.Stash.Stash()));
        actor.Tell("put aside");
        actor.Tell(PoisonPill.Instance);
        Assert.Equal("put aside", probe.ExpectMsg<DeadLetter>().Message);
    }
}

using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Tests;

public sealed class RemoteTellSpecs : RemoteSpecs
{
    [Theory, MemberData(nameof(Engines))]
    public void A_message_reaches_an_actor_of_another_system_and_its_answer_comes_back(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var echo = Echo(at, there);
        var remote = at.RefOf(echo, there);
        Assert.Equal(RemoteHarness.AddressOf(there), remote.Path.Address);
        Assert.Equal(echo.Path.Uid, remote.Path.Uid);
        probe.Send(remote, new Note("hello"));
        probe.ExpectMsg(new Note("echo hello"));
        Assert.Equal(remote, probe.LastSender);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Order_is_kept_per_pair(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(Echo(at, there), there);
        probe.Do(_ =>
        {
            for (var i = 0; i < 500; i++) remote.Tell(new Note(i.ToString()), probe.Ref);
        });
        for (var i = 0; i < 500; i++) probe.ExpectMsg(new Note("echo " + i));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_forwarded_message_is_answered_to_its_first_sender(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var (second, third) = (at.NewSystem("second"), at.NewSystem("third"));
        var probe = at.Probe();
        var echo = at.RefOf(Echo(at, third), third, second);
        var middle = at.RefOf(at.ActOn(second, act => act.OnAny(message => echo.Forward(message)), "middle"), second);
        probe.Send(middle, new Note("hello"));
        probe.ExpectMsg(new Note("echo hello"));
        Assert.Equal(RemoteHarness.AddressOf(third), probe.LastSender.Path.Address);
        Assert.Equal("echo asked", at.Result(middle.Ask<Note>(new Note("asked"), Long)).Text);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Ask_works_across_systems_and_leaves_nothing_behind(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var remote = at.RefOf(Echo(at, there), there);
        Assert.Equal("echo hello", at.Result(remote.Ask<Note>(new Note("hello"), Long)).Text);
        var asks = Enumerable.Range(0, 50).Select(i => remote.Ask<Note>(new Note(i.ToString()), Long)).ToArray();
        for (var i = 0; i < asks.Length; i++) Assert.Equal("echo " + i, at.Result(asks[i]).Text);
        Assert.True(at.Eventually(() => WaitingAsks(at.System) == 0));
        var mute = at.RefOf(at.ActOn(there, act => act.OnAny(_ => { })), there);
        var unanswered = mute.Ask<Note>(new Note("hello"), TimeSpan.FromMilliseconds(500));
        Assert.Equal(1, WaitingAsks(at.System));
        Assert.Throws<AskTimeoutException>(() => at.Result(unanswered));
        Assert.True(at.Eventually(() => WaitingAsks(at.System) == 0));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_failure_arrives_as_its_text(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var remote = at.RefOf(at.ActOn(there, act => act.OnAny(_ =>
            act.From.Tell(new Status.Failure(new FormatException("no such thing"))))), there);
        var asked = remote.Ask<Note>(new Note("?"), Long);
        var failure = Assert.ThrowsAny<AkkaException>(() => at.Result(asked));
        Assert.Equal("no such thing", failure.Message);
    }

    [Theory, MemberData(nameof(Engines))]
    public void The_engines_own_messages_arrive(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var remote = at.RefOf(at.ActOn(there, act => act.OnAny(message => act.From.Tell(message))), there);
        foreach (var message in new object[] { "text", 42, long.MaxValue })
            Assert.Equal(message, at.Result(remote.Ask<object>(message, Long)));
        Assert.Equal(new Note("done"), ((Status.Success)at.Result(remote.Ask<object>(new Status.Success(new Note("done")), Long))).Status);
        Assert.Null(at.Result(remote.Ask<Status.Success>(Status.Success.Instance, Long)).Status);
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_message_without_a_codec_goes_to_the_dead_letters_with_one_log_line(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(Echo(at, there), there);
        at.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
        at.System.EventStream.Subscribe(probe.Ref, typeof(Error));
        probe.Send(remote, new Homebound("lost"));
        Assert.Contains("Homebound", probe.ExpectMsg<Error>().Message.ToString());
        var letter = probe.ExpectMsg<DeadLetter>();
        Assert.Equal((new Homebound("lost"), probe.Ref, remote), ((Homebound)letter.Message, letter.Sender, letter.Recipient));
        probe.Do(_ => at.System.ActorSelection(remote.Path).Tell(new Homebound("lost too")));
        Assert.Equal(new Homebound("lost too"), probe.ExpectMsg<DeadLetter>().Message);
        probe.Send(remote, new Note("still here"));
        probe.ExpectMsg(new Note("echo still here"));
    }

    [Theory, MemberData(nameof(Engines))]
    public void A_message_that_cannot_be_read_is_rejected_and_the_next_one_arrives(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var remote = at.RefOf(Echo(at, there), there);
        probe.Send(remote, new Note("unreadable"));
        probe.Send(remote, new Note("readable"));
        probe.ExpectMsg(new Note("echo readable"));
        Assert.Equal(1, RemoteHarness.HubOf(there).Transport.Counters.Rejected);
    }

    [Theory, MemberData(nameof(Engines))]
    public void An_actor_of_another_system_can_be_stopped_poisoned_and_killed(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var watcher = at.ProbeOf(there);
        Action<IActorRef>[] ends = [at.System.Stop, each => each.Tell(PoisonPill.Instance), each => each.Tell(Kill.Instance)];
        foreach (var end in ends)
        {
            IActorRef victim = null;
            at.ActOn(there, act =>
            {
                act.Supervise(new OneForOneStrategy(_ => Directive.Stop));
                act.Starting = () => victim = act.Ctx.ActorOf(Act.Of(child => child.OnAny(_ => { })), "victim");
            });
            Assert.True(at.Eventually(() => victim is not null));
            var remote = at.RefOf(victim, there);
            watcher.Do(context => context.Watch(victim));
            end(remote);
            watcher.ExpectTerminated(victim);
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public void What_is_told_to_an_actor_that_has_stopped_is_a_dead_letter_there(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var letters = at.ProbeOf(there);
        var remote = at.RefOf(Echo(at, there), there);
        there.EventStream.Subscribe(letters.Ref, typeof(DeadLetter));
        Assert.True(at.Result(remote.GracefulStop(Long)));
        // Its parent may hear of the end after its watchers, and only then is the name free.
        Assert.True(at.Eventually(() => ((EmbeddedSystem)there).UserGuardian.Cell.ChildNamed("echo") is null));
        var again = Echo(at, there);
        remote.Tell(new Note("too late"), ActorRefs.NoSender);
        Assert.Equal(new Note("too late"), letters.ExpectMsg<DeadLetter>().Message);
        Assert.NotEqual(remote, at.RefOf(again, there));
    }
}

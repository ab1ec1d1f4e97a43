using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests;

public abstract class RemoteSpecs
{
    public static TheoryData<string> Engines => ["simulated 1", "simulated 2", "simulated 3"];
}

public sealed class RemoteTellSpecs : RemoteSpecs
{
    [Theory, MemberData(nameof(Engines))]
    public void A_message_reaches_an_actor_of_another_system_and_its_answer_comes_back(string engine)
    {
        using var at = RemoteHarness.StartRemote(engine);
        var there = at.NewSystem("there");
        var probe = at.Probe();
        var echo = at.ActOn(there, act => act.On<Note>(note => act.From.Tell(new Note(note.Text + " to you"))), "echo");
        there.ActorSelection(echo.Path).Tell(new Note("local"));
        var remote = at.RefOf(echo, there);
        Assert.Equal(RemoteHarness.AddressOf(there), remote.Path.Address);
        Assert.Equal(echo.Path.Uid, remote.Path.Uid);
        probe.Send(remote, new Note("hello"));
        probe.ExpectMsg(new Note("hello to you"));
        Assert.Equal(remote, probe.LastSender);
    }
}

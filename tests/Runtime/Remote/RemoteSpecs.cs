using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Specs that hold between systems, whatever carries the messages.</summary>
public abstract class RemoteSpecs
{
    public static TheoryData<string> Engines => ["simulated 1", "simulated 2", "simulated 3", "tcp"];

    /// <summary>Longer than any of these specs takes.</summary>
    protected static TimeSpan Long => TimeSpan.FromSeconds(20);

    /// <summary>Answers notes and tells who is asking.</summary>
    protected static IActorRef Echo(RemoteHarness at, ActorSystem there, string name = "echo") =>
        at.ActOn(there, act => act.On<Note>(note => act.From.Tell(new Note("echo " + note.Text))), name);

    protected static string At(ActorSystem system, string path) => RemoteHarness.AddressOf(system) + path;

    protected static int WaitingAsks(ActorSystem system) => ((EmbeddedSystem)system).Temporaries.Count;
}

using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Systems that reach each other, on some engine. Time passes by itself while the spec waits.</summary>
public abstract class RemoteHarness : Harness
{
    private ActorSystem _system;

    /// <summary>The first of two; the specs' probes live there.</summary>
    public override ActorSystem System => _system ??= NewSystem("here");

    /// <summary>The engines on which every remote spec holds.</summary>
    public static RemoteHarness StartRemote(string engine) => engine switch
    {
        "tcp" => new TcpRemoteHarness(),
        _ => new SimulatedRemoteHarness(ulong.Parse(engine["simulated ".Length..])),
    };

    public static Address AddressOf(ActorSystem system) => ((EmbeddedSystem)system).Hub.Address;

    internal static RemoteHub HubOf(ActorSystem system) => ((EmbeddedSystem)system).Hub;

    /// <param name="name">Of the system.</param>
    /// <param name="port">0: any.</param>
    public abstract ActorSystem NewSystem(string name, int port = 0);

    /// <summary>Ends it without a word to its peers.</summary>
    public abstract void Crash(ActorSystem system);

    /// <summary>From now on systems that cannot be reached are given up soon, which is no time for a machine that is busy.</summary>
    public virtual void LosePatience()
    {
    }

    /// <summary>The reference that one system has of another's actor.</summary>
    public IActorRef RefOf(IActorRef actor, ActorSystem there, ActorSystem here = null) =>
        Result((here ?? System).ActorSelection(AddressOf(there) + actor.Path.ToStringWithoutAddress())
            .ResolveOne(TimeSpan.FromSeconds(20)));

    public IActorRef ActOn(ActorSystem system, Action<Act> configure, string name = null) => system.ActorOf(Tests.Act.Of(configure), name);
}

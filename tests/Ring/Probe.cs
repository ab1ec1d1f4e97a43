using Akka.Actor;

namespace Rl.Distributed.Ring.Tests;

/// <summary>Keeps what it receives, for a test to look at.</summary>
internal sealed class Probe : ReceiveActor
{
    public Probe(List<object> received)
    {
        Receive<Send>(send => send.To.Tell(send.Message));
        ReceiveAny(received.Add);
    }

    /// <summary>Makes the probe send a message, as its own.</summary>
    public sealed record Send(IActorRef To, object Message);
}

/// <summary>A parent that stops children which fail, and keeps why.</summary>
internal sealed class StoppingParent(Props child, List<Exception> failures) : ReceiveActor
{
    protected override void PreStart() => Context.ActorOf(child, "child");

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(reason =>
    {
        failures.Add(reason);
        return Directive.Stop;
    });
}

using System.Collections.Concurrent;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>An actor that keeps what it is told for the spec to look at.</summary>
public sealed class Probe
{
    private readonly Harness _harness;
    private readonly ConcurrentQueue<(object Message, IActorRef Sender)> _inbox = new();

    public Probe(Harness harness, ActorSystem system, string name)
    {
        _harness = harness;
        var inbox = _inbox;
        Ref = system.ActorOf(Props.Create(() => new ProbeActor(inbox)), name);
    }

    public IActorRef Ref { get; }

    /// <summary>Who sent the message expected last.</summary>
    public IActorRef LastSender { get; private set; }

    /// <summary>Runs code as the probe.</summary>
    public void Do(Action<IActorContext> code) => Ref.Tell(code, ActorRefs.NoSender);

    public void Watch(IActorRef subject)
    {
        Do(context => context.Watch(subject));
        _harness.Settle();
    }

    public void Send(IActorRef receiver, object message) => Do(_ => receiver.Tell(message));

    public T ExpectMsg<T>()
    {
        (object Message, IActorRef Sender) next = default;
        Assert.True(_harness.Eventually(() => _inbox.TryDequeue(out next)), $"no {typeof(T).Name} came");
        LastSender = next.Sender;
        return Assert.IsAssignableFrom<T>(next.Message);
    }

    public void ExpectMsg<T>(T expected) => Assert.Equal(expected, ExpectMsg<T>());

    public void ExpectTerminated(IActorRef subject) => Assert.Equal(subject, ExpectMsg<Terminated>().ActorRef);

    public void ExpectNoMsg()
    {
        _harness.Settle();
        Assert.Empty(_inbox.Select(each => each.Message));
    }

    private sealed class ProbeActor : UntypedActor
    {
        private readonly ConcurrentQueue<(object, IActorRef)> _inbox;

        public ProbeActor(ConcurrentQueue<(object, IActorRef)> inbox) => _inbox = inbox;

        protected override void OnReceive(object message)
        {
            if (message is Action<IActorContext> code) code(Context);
            else _inbox.Enqueue((message, Sender));
        }
    }
}

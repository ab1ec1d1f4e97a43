using System.Buffers;
using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote.Simulated;

/// <summary>A system's end of the simulated network. Of one thread, and in virtual time.</summary>
internal sealed class SimulatedTransport : ITransport
{
    private readonly List<SimulatedPeer> _peers = [];
    private readonly Dictionary<Address, SimulatedPeer> _byAddress = [];

    public SimulatedTransport(EmbeddedEngine.SimulatedNetwork network, RemoteHub hub, Address address)
    {
        (Network, Hub, Address, Uid) = (network, hub, address, network.NewUid());
    }

    public EmbeddedEngine.SimulatedNetwork Network { get; }

    public RemoteHub Hub { get; }

    public Address Address { get; }

    public int Uid { get; }

    public bool IsClosed { get; private set; }

    public TransportCounters Counters { get; private set; } = new(0, 0, 0, 0, 0, 0);

    public void Send(Address peer, in Outbound message)
    {
        if (IsClosed) Drop(peer, message, "the system has ended");
        else if (!Hub.TryGetId(message.Message, out _)) Drop(peer, message, "it has no codec");
        else PeerOf(peer).Send(message);
    }

    public void Keep(Address peer) => PeerOf(peer).Keep(true);

    public void Release(Address peer) => PeerOf(peer).Keep(false);

    public void Quarantine(Address peer, int uid) => PeerOf(peer).Quarantine(uid);

    public Task StopAsync()
    {
        Close();
        foreach (var peer in _peers) peer.Leave();
        return Task.CompletedTask;
    }

    /// <summary>Power off: peers find the connection broken, or hear nothing any more.</summary>
    public void Crash(bool silent)
    {
        Close();
        foreach (var peer in _peers) peer.Crash(silent);
    }

    public SimulatedPeer PeerOf(Address address)
    {
        if (_byAddress.TryGetValue(address, out var peer)) return peer;
        peer = new SimulatedPeer(this, address);
        _peers.Add(peer);
        _byAddress.Add(address, peer);
        return peer;
    }

    /// <summary>Whether the handshake with the other would succeed.</summary>
    public bool Accepts(SimulatedTransport other) =>
        Hub.Options.ClusterName == other.Hub.Options.ClusterName
        && Hub.Options.Wire.Version == other.Hub.Options.Wire.Version
        && Hub.Options.Secret.Span.SequenceEqual(other.Hub.Options.Secret.Span)
        && !PeerOf(other.Address).IsQuarantined(other.Uid);

    /// <summary>A timer that ends with the system.</summary>
    public TimerEntry After(TimeSpan delay, Action fire) => Network.Timers.Start(delay, TimeSpan.Zero, Hub.System, () =>
    {
        if (!IsClosed) fire();
    });

    public void Drop(Address peer, in Outbound message, string reason)
    {
        Counters = Counters with { Dropped = Counters.Dropped + 1 };
        Hub.Dropped(peer, message, reason);
    }

    /// <summary>Whether there is room for a message beside those that wait already; if not, it is dropped.</summary>
    public bool HasRoom(Address peer, in Outbound message, long waiting, out long bytes)
    {
        bytes = 0;
        if (message.IsSystem) return true;
        var body = Network.RentBody();
        try
        {
            if (Hub.TryGetId(message.Message, out var id)) Hub.Write(id, message.Message, body);
            bytes = body.WrittenCount;
        }
        catch (Exception)
        {
            // this is told when it leaves
        }
        Network.ReturnBody(body);
        if (waiting + bytes <= Hub.Options.MaxQueuedBytes) return true;
        Drop(peer, message, "too much waits for this peer");
        return false;
    }

    /// <summary>The message as it is now, or false where it cannot leave.</summary>
    public bool TryEncode(Address peer, in Outbound message, ArrayBufferWriter<byte> body, out int id)
    {
        id = 0;
        try
        {
            if (!Hub.TryGetId(message.Message, out id)) throw new InvalidOperationException("it lost its codec");
            Hub.Write(id, message.Message, body);
            if (body.WrittenCount > Hub.Options.MaxMessageBytes)
                throw new InvalidOperationException($"its {body.WrittenCount} bytes are more than {Hub.Options.MaxMessageBytes}");
        }
        catch (Exception e)
        {
            Drop(peer, message, e.Message);
            return false;
        }
        Hub.Encoded(peer, id, body.WrittenCount);
        Counters = Counters with
        {
            MessagesSent = Counters.MessagesSent + 1,
            BytesSent = Counters.BytesSent + body.WrittenCount,
        };
        return true;
    }

    /// <summary>A message has come.</summary>
    public void Receive(SimulatedTransport from, in Outbound message, int id, ReadOnlyMemory<byte> body)
    {
        Network.MessagesDelivered++;
        Counters = Counters with
        {
            MessagesReceived = Counters.MessagesReceived + 1,
            BytesReceived = Counters.BytesReceived + body.Length,
        };
        try
        {
            Hub.Deliver(from.Address, from.Uid, Hub.Resolve(message.Recipient), Hub.SenderOf(from.Address, message.Sender), id, new(body));
        }
        catch (Exception e)
        {
            Counters = Counters with { Rejected = Counters.Rejected + 1 };
            Hub.System.Publish(LogLevel.WarningLevel, e, Address.ToString(), typeof(SimulatedTransport),
                $"A message with the id {id} from {from.Address} to {message.Recipient} was rejected: {e.Message}");
        }
    }

    private void Close()
    {
        IsClosed = true;
        Network.Close(this);
    }
}

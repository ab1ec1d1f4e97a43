using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote.Simulated;

/// <summary>What one transport knows of one other address: the connection, or the attempts at one.</summary>
internal sealed class SimulatedPeer(SimulatedTransport owner, Address address)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(50), MostBackoff = TimeSpan.FromSeconds(1);

    private readonly Queue<Outbound> _queue = new();
    private readonly HashSet<int> _quarantined = [];
    private SimulatedConnection _connection;
    private bool _kept;
    private int _uid;
    private int _reported;
    private TimeSpan _backoff;
    private TimeSpan _waitsSince;
    private long _queuedBytes;
    private TimerEntry _dial;
    private TimerEntry _grace;

    public SimulatedTransport Owner => owner;

    public Address Address => address;

    public bool IsQuarantined(int uid) => _quarantined.Contains(uid);

    public void Send(in Outbound message)
    {
        if (_connection is not null)
        {
            _connection.Send(this, message);
            return;
        }
        if (!owner.HasRoom(address, message, _queuedBytes, out var bytes)) return;
        _queuedBytes += bytes;
        if (_queue.Count == 0) _waitsSince = owner.Network.Timers.Monotonic;
        _queue.Enqueue(message);
        Dial();
    }

    public void Keep(bool keep)
    {
        _kept = keep;
        if (keep) Dial();
    }

    public void Quarantine(int uid)
    {
        _quarantined.Add(uid);
        if (_uid != uid) return;
        _connection?.Close(this, "quarantined", isFinal: true);
        Report(0, "quarantined");
    }

    /// <summary>A connection is there.</summary>
    public void Attach(SimulatedConnection connection, int uid)
    {
        if (_uid != uid && _uid != 0) Report(0, "a new incarnation took its place");
        (_connection, _uid, _backoff) = (connection, uid, TimeSpan.Zero);
        _dial?.Cancel();
        _dial = null;
        Report(uid, null);
        _queuedBytes = 0;
        while (_connection == connection && _queue.TryDequeue(out var message)) connection.Send(this, message);
    }

    /// <summary>The connection is no more.</summary>
    /// <param name="connection">Nothing happens if there is a later one.</param>
    /// <param name="reason">For the hub.</param>
    /// <param name="isFinal">There is no hope that the same incarnation is back in a moment.</param>
    public void Detach(SimulatedConnection connection, string reason, bool isFinal)
    {
        if (_connection != connection || owner.IsClosed) return;
        _connection = null;
        if (isFinal) Report(0, reason);
        else _grace = owner.After(owner.Hub.Options.ReconnectGrace, () => Report(0, reason));
        if (IsWanted) Dial();
    }

    public void Leave()
    {
        DropQueue("the system has ended");
        _connection?.Leave(this);
    }

    public void Crash(bool silent) => _connection?.Crash(this, silent);

    /// <summary>Tells the hub of the incarnation that can be reached; 0: none, and what waits for it is dropped.</summary>
    private void Report(int uid, string reason)
    {
        _grace?.Cancel();
        _grace = null;
        if (uid == 0) DropQueue(reason);
        if (uid == _reported) return;
        var last = _reported;
        _reported = uid;
        if (uid != 0) owner.Hub.Connected(address, uid);
        else owner.Hub.Disconnected(address, last, reason);
    }

    private void Dial()
    {
        if (_connection is not null || _dial is not null || owner.IsClosed) return;
        _dial = owner.After(_backoff + owner.Network.Latency() + owner.Network.Latency(), Connect);
        _backoff = _backoff == TimeSpan.Zero ? FirstBackoff : _backoff * 2 < MostBackoff ? _backoff * 2 : MostBackoff;
    }

    private void Connect()
    {
        _dial = null;
        var network = owner.Network;
        if (network.Find(address) is { } other && other != owner && network.Passes(owner.Address, address)
            && network.Passes(address, owner.Address) && owner.Accepts(other) && other.Accepts(owner))
        {
            SimulatedConnection.Join(this, other.PeerOf(owner.Address));
            return;
        }
        var isTime = network.Timers.Monotonic >= _waitsSince + owner.Hub.Options.SilenceLimit;
        if (_reported == 0 && isTime) DropQueue("no connection came about");
        if (IsWanted) Dial();
        else _backoff = TimeSpan.Zero;
    }

    private bool IsWanted => _kept || _reported != 0 || _queue.Count > 0;

    private void DropQueue(string reason)
    {
        _queuedBytes = 0;
        for (var count = _queue.Count; count > 0; count--) owner.Drop(address, _queue.Dequeue(), reason);
    }
}

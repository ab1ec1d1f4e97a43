using System.Buffers;
using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote.Simulated;

/// <summary>One connection between two incarnations.</summary>
internal sealed class SimulatedConnection
{
    private readonly EmbeddedEngine.SimulatedNetwork _network;
    private readonly Direction _there;
    private readonly Direction _back;
    private bool _isOpen = true;

    private SimulatedConnection(SimulatedPeer one, SimulatedPeer other)
    {
        _network = one.Owner.Network;
        (_there, _back) = (new Direction(one, other), new Direction(other, one));
    }

    public static void Join(SimulatedPeer one, SimulatedPeer other)
    {
        var connection = new SimulatedConnection(one, other);
        connection._network.Add(connection);
        other.Attach(connection, one.Owner.Uid);
        one.Attach(connection, other.Owner.Uid);
    }

    public bool Joins(Address one, Address other) =>
        (_there.From.Owner.Address == one && _there.To.Owner.Address == other)
        || (_there.From.Owner.Address == other && _there.To.Owner.Address == one);

    public void Send(SimulatedPeer from, in Outbound message)
    {
        if (_network.Draw(_network.DropProbability))
        {
            _network.MessagesLost++;
            return;
        }
        var direction = From(from);
        direction.Launch(_network, message, this);
    }

    /// <summary>Nothing passes from one to the other: it stalls, and who hears nothing gives up after the silence limit.</summary>
    public void Cut(Address from, Address to)
    {
        foreach (var direction in (ReadOnlySpan<Direction>)[_there, _back])
        {
            if (direction.From.Owner.Address != from || direction.To.Owner.Address != to) continue;
            ListenInVain(direction);
        }
    }

    public void Heal()
    {
        foreach (var direction in (ReadOnlySpan<Direction>)[_there, _back])
        {
            if (direction.From.Owner.IsClosed) continue;
            direction.Silence?.Cancel();
            direction.Silence = null;
            direction.GoOn(_network, this);
        }
    }

    /// <summary>Both ends find it broken, now.</summary>
    public void Break(string reason)
    {
        End();
        _there.From.Detach(this, reason, isFinal: false);
        _there.To.Detach(this, reason, isFinal: false);
    }

    /// <summary>One end closes it; the other finds out, now or when it hears nothing.</summary>
    public void Close(SimulatedPeer by, string reason, bool isFinal)
    {
        if (_isOpen)
        {
            End();
            TellOther(by, "the other side closed the connection", isFinal: false);
        }
        by.Detach(this, reason, isFinal);
    }

    /// <summary>One end's system has ended: what it sent before still arrives.</summary>
    public void Leave(SimulatedPeer by)
    {
        var wait = From(by).LastArrival - _network.Timers.Monotonic;
        _network.Timers.Start(wait, TimeSpan.Zero, null, () =>
        {
            End();
            TellOther(by, "the system has ended", isFinal: true);
        });
    }

    /// <summary>One end's machine is off.</summary>
    public void Crash(SimulatedPeer by, bool silent)
    {
        End();
        if (silent) ListenInVain(From(by));
        else TellOther(by, "the connection broke", isFinal: false);
    }

    private void TellOther(SimulatedPeer by, string reason, bool isFinal)
    {
        var direction = From(by);
        if (_network.Passes(by.Owner.Address, direction.To.Owner.Address))
            direction.To.Owner.After(_network.Latency(), () => direction.To.Detach(this, reason, isFinal));
    }

    private void ListenInVain(Direction direction)
    {
        var hearer = direction.To;
        direction.Silence ??= hearer.Owner.After(
            hearer.Owner.Hub.Options.SilenceLimit, () => Close(hearer, "it fell silent", isFinal: true));
    }

    private void End()
    {
        _isOpen = false;
        _network.Remove(this);
    }

    private Direction From(SimulatedPeer from) => from == _there.From ? _there : _back;

    /// <summary>False while nothing passes.</summary>
    private bool TryArrive(Direction direction, in Outbound message)
    {
        var (from, to) = (direction.From.Owner, direction.To.Owner);
        if (!_isOpen || to.IsClosed) _network.MessagesLost++;
        else if (_network.Passes(from.Address, to.Address)) Arrive(direction, message);
        else return false;
        return true;
    }

    private void Arrive(Direction direction, Outbound message)
    {
        var (from, to) = (direction.From.Owner, direction.To.Owner);
        var body = _network.RentBody();
        if (!from.TryEncode(to.Address, message, body, out var id))
        {
            _network.ReturnBody(body);
            return;
        }
        var free = direction.Occupy(_network, body.WrittenCount);
        if (free == TimeSpan.Zero) Hand(from, to, message, id, body);
        else _network.Timers.Start(free, TimeSpan.Zero, null, () => Hand(from, to, message, id, body));
    }

    private void Hand(SimulatedTransport from, SimulatedTransport to, in Outbound message, int id, ArrayBufferWriter<byte> body)
    {
        if (_isOpen && !to.IsClosed) to.Receive(from, message, id, body.WrittenMemory);
        else _network.MessagesLost++;
        _network.ReturnBody(body);
    }

    /// <summary>What is under way from one end to the other.</summary>
    /// <remarks>An arrival is the oldest message's of its pair, so that what was stalled is not overtaken by what was sent later.</remarks>
    private sealed class Direction(SimulatedPeer from, SimulatedPeer to)
    {
        private readonly Dictionary<(string Recipient, string Sender, bool IsSystem), Pair> _pairs = [];

        private List<Pair> _stalled = [];
        private TimeSpan _freeAt;
        private long _stalledBytes;

        public SimulatedPeer From => from;

        public SimulatedPeer To => to;

        public TimerEntry Silence { get; set; }

        public TimeSpan LastArrival { get; private set; }

        public void Launch(EmbeddedEngine.SimulatedNetwork network, Outbound message, SimulatedConnection connection)
        {
            if (!network.Passes(from.Owner.Address, to.Owner.Address))
            {
                if (!from.Owner.HasRoom(to.Owner.Address, message, _stalledBytes, out var bytes)) return;
                _stalledBytes += bytes;
            }
            var key = (message.Recipient, message.Sender ?? "", message.IsSystem);
            if (!_pairs.TryGetValue(key, out var pair)) _pairs.Add(key, pair = new Pair(() => _pairs.Remove(key)));
            pair.Messages.Enqueue(message);
            Schedule(network, pair, connection);
        }

        /// <summary>What was stalled sets out again.</summary>
        public void GoOn(EmbeddedEngine.SimulatedNetwork network, SimulatedConnection connection)
        {
            var stalled = _stalled;
            (_stalled, _stalledBytes) = ([], 0);
            foreach (var pair in stalled) Schedule(network, pair, connection);
        }

        /// <summary>How long until so many more bytes have passed.</summary>
        public TimeSpan Occupy(EmbeddedEngine.SimulatedNetwork network, long bytes)
        {
            if (network.BytesPerSecond == 0) return TimeSpan.Zero;
            var now = network.Timers.Monotonic;
            _freeAt = (_freeAt > now ? _freeAt : now) + TimeSpan.FromSeconds((double)bytes / network.BytesPerSecond);
            return _freeAt - now;
        }

        private void Schedule(EmbeddedEngine.SimulatedNetwork network, Pair pair, SimulatedConnection connection)
        {
            var now = network.Timers.Monotonic;
            var arrival = now + network.Latency();
            if (pair.LastArrival > arrival) arrival = pair.LastArrival;
            pair.LastArrival = arrival;
            if (arrival > LastArrival) LastArrival = arrival;
            network.Timers.Start(arrival - now, TimeSpan.Zero, null, () =>
            {
                if (!connection.TryArrive(this, pair.Messages.Peek()))
                {
                    _stalled.Add(pair);
                    return;
                }
                pair.Messages.Dequeue();
                if (pair.Messages.Count == 0) pair.Ended();
            });
        }

        /// <summary>Of one sender to one recipient.</summary>
        /// <param name="ended">Nothing of it is under way any more.</param>
        private sealed class Pair(Action ended)
        {
            public Action Ended => ended;

            /// <summary>Under way, the oldest first.</summary>
            public Queue<Outbound> Messages { get; } = new();

            /// <summary>When the last of them arrives.</summary>
            public TimeSpan LastArrival { get; set; }
        }
    }
}

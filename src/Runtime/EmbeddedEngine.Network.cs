using System.Buffers;
using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Simulated;

namespace Rl.Distributed.Runtime;

public static partial class EmbeddedEngine
{
    /// <summary>What lies between the systems of a simulation: connections with latency, loss and breaks.</summary>
    /// <remarks>
    /// A message is encoded when it arrives, so that one that was changed after Tell arrives changed. Messages of one sender to one
    /// recipient keep their order, those of others overtake each other. What is done to a system holds for its address: also for the
    /// next system there. Not thread-safe, like the simulation.
    /// </remarks>
    public sealed class SimulatedNetwork
    {
        private const int FirstFreePort = 20_000;

        private readonly SimulatedEngine _engine;
        private readonly Dictionary<(string Host, int Port), SimulatedTransport> _listening = [];
        private readonly List<SimulatedConnection> _connections = [];
        private readonly HashSet<(Address From, Address To)> _cuts = [];
        private readonly Stack<ArrayBufferWriter<byte>> _bodies = new();
        private int _nextPort = FirstFreePort;

        internal SimulatedNetwork(SimulatedEngine engine) => _engine = engine;

        /// <summary>The least time that a message is under way.</summary>
        public TimeSpan MinLatency { get; set; } = TimeSpan.FromMicroseconds(100);

        /// <summary>The most; the times between are equally likely.</summary>
        public TimeSpan MaxLatency { get; set; } = TimeSpan.FromMicroseconds(500);

        /// <summary>Of each message, of the engine's own too; 0 to 1.</summary>
        public double DropProbability { get; set; }

        /// <summary>Of each direction of each connection; 0: no limit.</summary>
        public long BytesPerSecond { get; set; }

        /// <summary>Messages that came through.</summary>
        public long MessagesDelivered { get; internal set; }

        /// <summary>Messages that were dropped by chance or were under way when their connection broke.</summary>
        public long MessagesLost { get; internal set; }

        internal TimerService Timers => _engine.Timers;

        /// <summary>Nothing passes between systems of different groups from now on; a system in no group is a group by itself.</summary>
        public void Partition(params ActorSystem[][] groups)
        {
            ArgumentNullException.ThrowIfNull(groups);
            var addresses = _listening.Values.Select(transport => transport.Address).ToList();
            foreach (var from in addresses)
            {
                foreach (var to in addresses)
                {
                    if (from != to && (GroupOf(from) is var group && (group < 0 || group != GroupOf(to)))) Cut(from, to);
                }
            }
            int GroupOf(Address address) => Array.FindIndex(groups, group => group.Any(system => AddressOf(system) == address));
        }

        /// <summary>Nothing passes in this direction from now on.</summary>
        public void Cut(ActorSystem from, ActorSystem to) => Cut(AddressOf(from), AddressOf(to));

        /// <summary>Everything passes again. What was under way on connections that still stand arrives late.</summary>
        public void Heal()
        {
            _cuts.Clear();
            foreach (var connection in _connections.ToArray()) connection.Heal();
        }

        /// <summary>The connection between them breaks; what is under way is lost. They connect anew after a moment.</summary>
        public void Break(ActorSystem one, ActorSystem other)
        {
            foreach (var connection in _connections.Where(each => each.Joins(AddressOf(one), AddressOf(other))).ToArray())
                connection.Break("the connection broke");
        }

        internal ArrayBufferWriter<byte> RentBody() => _bodies.TryPop(out var body) ? body : new ArrayBufferWriter<byte>();

        /// <summary>A message that was read keeps nothing of its bytes: one that does finds them spoilt.</summary>
        internal void ReturnBody(ArrayBufferWriter<byte> body)
        {
            var written = MemoryMarshal.AsMemory(body.WrittenMemory);
            written.Span.Fill(0xA5);
            body.ResetWrittenCount();
            _bodies.Push(body);
        }

        internal int NewUid() => 1 + (int)(_engine.NextRandom() * (int.MaxValue - 1));

        internal bool Draw(double probability) => probability > 0 && _engine.NextRandom() < probability;

        internal TimeSpan Latency() => MinLatency + ((MaxLatency - MinLatency) * _engine.NextRandom());

        internal SimulatedTransport Listen(RemoteHub hub)
        {
            var options = hub.Options;
            var port = options.BindPort != 0 ? options.BindPort : _nextPort++;
            var address = new Address("akka.tcp", hub.System.Name, options.Host ?? options.BindHost, options.Port ?? port);
            var transport = new SimulatedTransport(this, hub, address);
            if (!_listening.TryAdd((address.Host, address.Port.Value), transport))
                throw new InvalidOperationException($"{address.Host}:{address.Port} is in use.");
            return transport;
        }

        internal void Close(SimulatedTransport transport)
        {
            if (Find(transport.Address) == transport) _listening.Remove((transport.Address.Host, transport.Address.Port.Value));
        }

        /// <summary>Who listens there under that name; null for nobody.</summary>
        internal SimulatedTransport Find(Address address) =>
            _listening.GetValueOrDefault((address.Host, address.Port ?? 0)) is { } found && found.Address == address ? found : null;

        internal bool Passes(Address from, Address to) => !_cuts.Contains((from, to));

        internal void Add(SimulatedConnection connection) => _connections.Add(connection);

        internal void Remove(SimulatedConnection connection) => _connections.Remove(connection);

        private static Address AddressOf(ActorSystem system) => ((EmbeddedSystem)system).Hub?.Address
            ?? throw new ArgumentException($"The system {system.Name} has no Options.Remote.", nameof(system));

        private void Cut(Address from, Address to)
        {
            if (!_cuts.Add((from, to))) return;
            foreach (var connection in _connections.ToArray()) connection.Cut(from, to);
        }
    }
}

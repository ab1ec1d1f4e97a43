using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote.Simulated;

namespace Rl.Distributed.Runtime;

public static partial class EmbeddedEngine
{
    /// <summary>Actor systems on one thread and in virtual time.</summary>
    /// <remarks>
    /// Which actor handles its next message is drawn from the seed; timers fire in the order of their due time. Time
    /// stands still while actors have messages (unless <see cref="MessageCost"/> says what one takes) and jumps to the next
    /// timer when none has. So a run is the same, to the order of every message, whenever seed and program are. Nothing
    /// happens outside <see cref="Advance"/> and <see cref="RunUntil"/>; tasks of asks end, and continue, within them.
    /// Not thread-safe: a message from another thread during a step throws.
    /// </remarks>
    public sealed class Simulation
    {
        private readonly SimulatedEngine _engine;

        internal Simulation(ulong seed)
        {
            _engine = new SimulatedEngine(seed);
            Network = new SimulatedNetwork(_engine);
        }

        /// <summary>What lies between the systems that have <see cref="Options.Remote"/>.</summary>
        public SimulatedNetwork Network { get; }

        /// <summary>The virtual clock; begins at 2000-01-01 UTC. Its timers fire with those of the actors.</summary>
        public TimeProvider TimeProvider => _engine.Time;

        public DateTimeOffset Now => _engine.Now;

        /// <summary>Virtual time that handling a message takes; zero at first. Above zero, actors that never run out
        /// of messages do not stop the clock.</summary>
        public TimeSpan MessageCost
        {
            get => _engine.MessageCost;
            set => _engine.MessageCost = value;
        }

        /// <summary>How many turns were given to actors.</summary>
        public long StepsTaken => _engine.Steps;

        /// <summary>A hash of who handled which type of message, in order; equal for equal runs.</summary>
        public ulong MessageHash => _engine.MessageHash;

        /// <summary>Told of each message before its actor handles it: the system, the actor's path, the message. It only looks on, and
        /// does not throw. Null at first.</summary>
        public Action<ActorSystem, ActorPath, object> Watcher
        {
            get => _engine.Watcher;
            set => _engine.Watcher = value;
        }

        /// <summary>Starts a system in this world. Every dispatcher that the options name is the one thread.</summary>
        public ActorSystem CreateSystem(string name, Options options = null)
        {
            options ??= new Options();
            var dispatchers = new Dictionary<string, Dispatcher> { [Dispatcher.DefaultId] = _engine };
            foreach (var id in options.Dispatchers.Keys) dispatchers[id] = _engine;
            return new EmbeddedSystem(name, new SimulatedNode(_engine), dispatchers, options.Remote, Network.Listen);
        }

        /// <summary>The machine of a system loses its power: no actor of it handles anything any more, none is stopped, its
        /// timers are gone and <see cref="ActorSystem.WhenTerminated"/> never ends. Its address is free for a new system.</summary>
        /// <param name="system">Of this simulation.</param>
        /// <param name="silent">Its peers hear nothing any more; otherwise they find their connections broken.</param>
        public void Crash(ActorSystem system, bool silent = false)
        {
            var crashed = (EmbeddedSystem)system;
            _engine.Crash(crashed);
            (crashed.Hub?.Transport as SimulatedTransport)?.Crash(silent);
        }

        /// <summary>Runs all that is due up to that much later.</summary>
        /// <exception cref="InvalidOperationException">Ten million messages at one instant: some actor never rests.</exception>
        public void Advance(TimeSpan by)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
            _engine.Run(static () => false, by);
        }

        /// <summary>Steps until the condition holds, which is checked after every step, or the time is spent.</summary>
        /// <returns>Whether it holds.</returns>
        /// <exception cref="InvalidOperationException">As <see cref="Advance"/>.</exception>
        public bool RunUntil(Func<bool> condition, TimeSpan virtualLimit)
        {
            ArgumentNullException.ThrowIfNull(condition);
            ArgumentOutOfRangeException.ThrowIfLessThan(virtualLimit, TimeSpan.Zero);
            return _engine.Run(condition, virtualLimit) || condition();
        }

        private sealed class SimulatedNode(SimulatedEngine engine) : IEngine
        {
            public TimerService Timers => engine.Timers;

            public TaskCreationOptions TaskOptions => TaskCreationOptions.None;

            public double NextRandom() => engine.NextRandom();

            public void Observe(ActorCell cell, object message) => engine.Observe(cell, message);
        }
    }
}

using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime;

/// <summary>Starts actor systems on the embedded engine: on threads and real time, or simulated.</summary>
public static partial class EmbeddedEngine
{
    /// <summary>What a named dispatcher is.</summary>
    public enum DispatcherKind
    {
        /// <summary>The process's thread pool.</summary>
        Pool,

        /// <summary>A thread of its own for every actor, for those that compute long.</summary>
        Pinned,
    }

    /// <summary>How a system is set up.</summary>
    public sealed record Options
    {
        /// <summary>Names for <see cref="Props.WithDispatcher"/>. Actors that name none run on the pool.</summary>
        public IReadOnlyDictionary<string, DispatcherKind> Dispatchers { get; init; } = new Dictionary<string, DispatcherKind>();

        /// <summary>Time and timers. A simulation has its own and ignores this one.</summary>
        public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

        /// <summary>How others reach the system; null: they do not.</summary>
        public RemoteOptions Remote { get; init; }
    }

    /// <summary>Starts a system on threads; with <see cref="Options.Remote"/>, one that others reach over TCP.</summary>
    /// <param name="name">Letters, digits, - and _.</param>
    /// <param name="options">Null for the defaults.</param>
    public static ActorSystem Create(string name, Options options = null)
    {
        options ??= new Options();
        var dispatchers = new Dictionary<string, Dispatcher> { [Dispatcher.DefaultId] = new PoolDispatcher() };
        foreach (var (id, kind) in options.Dispatchers)
            dispatchers[id] = kind == DispatcherKind.Pinned ? new PinnedDispatcher(name + "-" + id) : new PoolDispatcher();
        var system = new EmbeddedSystem(name, new ThreadedEngine(options.TimeProvider), dispatchers, options.Remote, NewTransport);
        (system.Hub?.Transport as TcpTransport)?.Start();
        return system;
    }

    private static TcpTransport NewTransport(RemoteHub hub) =>
        new(hub.Options, hub, hub.System.Name,
            (level, text) => hub.System.Publish(level, null, hub.System.Name, typeof(TcpTransport), text));

    /// <summary>A world of one thread and virtual time, whose course is a function of the seed.</summary>
    public static Simulation Simulate(ulong seed) => new(seed);

    private sealed class ThreadedEngine(TimeProvider time) : IEngine
    {
        public TimerService Timers { get; } = new ProvidedTimerService(time);

        public TaskCreationOptions TaskOptions => TaskCreationOptions.RunContinuationsAsynchronously;

        public double NextRandom() => Random.Shared.NextDouble();

        public void Observe(ActorCell cell, object message)
        {
        }
    }
}

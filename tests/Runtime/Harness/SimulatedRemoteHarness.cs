using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Systems on the simulated network.</summary>
public sealed class SimulatedRemoteHarness(ulong seed) : RemoteHarness
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly List<ActorSystem> _running = [];
    private ActorSystem _there;

    public EmbeddedEngine.Simulation Simulation { get; } = EmbeddedEngine.Simulate(seed);

    /// <summary>A second system.</summary>
    public ActorSystem There => _there ??= NewSystem("there");

    /// <summary>An actor there that the spec works with.</summary>
    public IActorRef Counting { get; set; }

    internal EmbeddedSystem SystemImpl => (EmbeddedSystem)System;

    /// <summary>Of the systems that are made from now on.</summary>
    public EmbeddedEngine.RemoteOptions Options { get; set; } = new() { Wire = new NoteWire() };

    public override ActorSystem NewSystem(string name, int port = 0)
    {
        var system = Simulation.CreateSystem(name, new() { Remote = Options with { BindPort = port } });
        _running.Add(system);
        return system;
    }

    public override void Crash(ActorSystem system) => Crash(system, silent: false);

    public void Crash(ActorSystem system, bool silent)
    {
        Simulation.Crash(system, silent);
        _running.Remove(system);
    }

    public override void Advance(TimeSpan by) => Simulation.Advance(by);

    public override void Settle() => Simulation.Advance(TimeSpan.FromMilliseconds(100));

    public override bool Eventually(Func<bool> condition) => Simulation.RunUntil(condition, Deadline);

    public override void Dispose()
    {
        foreach (var system in _running) system.Terminate();
        Assert.True(Eventually(() => _running.All(system => system.WhenTerminated.IsCompleted)), "a system has not terminated");
        GC.SuppressFinalize(this);
    }
}

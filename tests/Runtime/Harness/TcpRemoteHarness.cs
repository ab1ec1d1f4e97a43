using Akka.Actor;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Systems on threads, over loopback and in real time.</summary>
public sealed class TcpRemoteHarness : RemoteHarness
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly List<ActorSystem> _running = [];

    public override ActorSystem NewSystem(string name, int port = 0)
    {
        if (port == 0) port = FreePort.Next();
        var system = EmbeddedEngine.Create(name, new()
        {
            Remote = new() { Wire = new NoteWire(), BindPort = port, SilenceLimit = TimeSpan.FromSeconds(2) },
        });
        HubOf(system).Patience = Deadline;
        _running.Add(system);
        return system;
    }

    /// <summary>Its actors live on, but nobody hears of them.</summary>
    public override void Crash(ActorSystem system)
    {
        LosePatience();
        Result(Stopped(HubOf(system).StopAsync()));
    }

    public override void LosePatience() => _running.ForEach(static system => HubOf(system).Patience = TimeSpan.FromMilliseconds(200));

    public override void Advance(TimeSpan by) => throw new NotSupportedException("Real time passes by itself.");

    public override void Settle()
    {
    }

    public override bool Eventually(Func<bool> condition) => SpinWait.SpinUntil(condition, Deadline);

    public override void Dispose()
    {
        foreach (var system in _running) system.Terminate();
        Assert.True(Eventually(() => _running.All(system => system.WhenTerminated.IsCompleted)), "a system has not terminated");
        GC.SuppressFinalize(this);
    }

    private static async Task<bool> Stopped(Task stopping)
    {
        await stopping;
        return true;
    }
}

using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>An actor system on some engine, and time that the spec moves. One file per engine.</summary>
public abstract class Harness : IDisposable
{
    /// <summary>Dispatcher names that every harness knows.</summary>
    public const string Pool = "spec-pool", Pinned = "spec-pinned";

    private int _probes;

    public abstract ActorSystem System { get; }

    /// <summary>The engines on which every spec holds.</summary>
    public static Harness Start(string engine) => engine switch
    {
        "threaded" => new ThreadedHarness(),
        _ => new SimulatedHarness(ulong.Parse(engine["simulated ".Length..])),
    };

    /// <summary>Lets that much time pass, and all that is due in it happen.</summary>
    public abstract void Advance(TimeSpan by);

    /// <summary>Lets everything happen that needs no time to pass.</summary>
    public abstract void Settle();

    /// <summary>Whether the condition comes to hold without time passing.</summary>
    public abstract bool Eventually(Func<bool> condition);

    public void Advance(double milliseconds) => Advance(TimeSpan.FromMilliseconds(milliseconds));

    public Probe Probe(string name = null) => ProbeOf(System, name);

    public Probe ProbeOf(ActorSystem system, string name = null) => new(this, system, name ?? "probe-" + ++_probes);

    /// <summary>Waits for a task that needs no time to pass.</summary>
    public T Result<T>(Task<T> task)
    {
        Assert.True(Eventually(() => task.IsCompleted), "the task has not ended");
        return task.GetAwaiter().GetResult();
    }

    public IActorRef Act(Action<Act> configure, string name = null) => System.ActorOf(Tests.Act.Of(configure), name);

    public virtual void Dispose()
    {
        System.Terminate();
        Assert.True(Eventually(() => System.WhenTerminated.IsCompleted), "the system has not terminated");
        GC.SuppressFinalize(this);
    }
}

/// <summary>Specs that run on all engines.</summary>
public abstract class Specs
{
    public static TheoryData<string> Engines => ["simulated 1", "simulated 2", "simulated 3", "threaded"];

    protected static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}

using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>The simulated engine.</summary>
public sealed class SimulatedHarness : Harness
{
    public SimulatedHarness(ulong seed)
    {
        Simulation = EmbeddedEngine.Simulate(seed);
        System = Simulation.CreateSystem("spec", ThreadedHarness.Options);
    }

    public EmbeddedEngine.Simulation Simulation { get; }

    public override ActorSystem System { get; }

    public override void Advance(TimeSpan by) => Simulation.Advance(by);

    public override void Settle() => Simulation.Advance(TimeSpan.Zero);

    public override bool Eventually(Func<bool> condition) => Simulation.RunUntil(condition, TimeSpan.Zero);
}

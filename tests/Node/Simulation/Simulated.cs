using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Small simulated clusters.</summary>
internal static class Simulated
{
    /// <summary>What makes Catch small: a fault matters more to a short run, and more runs explore more faults.</summary>
    private static readonly string[] _small =
    [
        "network.hidden=[16]", "parameterServer.chunkKilobytes=1", "parameterServer.publishMilliseconds=20",
        "workers.environmentsPerWorker=2", "workers.unrollLength=4", "workers.creditTimeoutSeconds=1", "learner.batch=4",
        "run.checkpointFrames=1200", "run.metricsSeconds=0.25",
    ];

    /// <summary>A run of three nodes that act, as the command line has it.</summary>
    public static SimulationRequest Request(ulong seed, bool faults = true, long frames = 6000)
    {
        string[] words = [.. _small, $"frames={frames}", $"seed={seed}"];
        return new SimulationRequest(
            ConfigLoader.Load("impala-catch", [.. words.Select(ConfigOverride.Parse)]), Nodes: 3, faults,
            $"./rl simulate impala-catch --nodes 3 {(faults ? "--faults " : "")}{string.Join(' ', words.Select(word => $"--set {word}"))}");
    }

    public static SimulationReport Run(ulong seed, bool faults = true, long frames = 6000) =>
        SimulatedHost.RunCluster(Request(seed, faults, frames));

    public static void SkipWithoutSimulation() =>
        Assert.SkipWhen(SimulatedHost.Missing is not null, $"{EngineHost.Name}: the simulation is the embedded engine's.");
}

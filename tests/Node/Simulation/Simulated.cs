using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Small simulated clusters.</summary>
internal static class Simulated
{
    /// <summary>What makes a run small: a fault matters more to a short one, and more runs explore more faults.</summary>
    private static readonly string[] _small =
    [
        "parameterServer.chunkKilobytes=1", "parameterServer.publishMilliseconds=20", "workers.creditTimeoutSeconds=1",
        "run.checkpointFrames=1200", "run.metricsSeconds=0.25",
    ];

    // An unroll of some frames; gradients of several parts, target parameters that change often.
    private static readonly string[] _catch = ["network.hidden=[16]", "workers.environmentsPerWorker=2", "workers.unrollLength=4", "learner.batch=4"],
        _gradients = ["network.hidden=[64]"], _values = [.. _gradients, "learner.targetInterval=1000"];

    /// <summary>A run of three nodes that act, as the command line has it.</summary>
    public static SimulationRequest Request(ulong seed, bool faults = true, long? frames = null, string preset = "impala-catch", params string[] more)
    {
        var special = preset == "impala-catch" ? _catch : preset is "a3c-cartpole" or "a2c-cartpole" ? _gradients : _values;
        // Learners of the leading process are fast: the run is to last longer than it takes the others to join.
        frames ??= preset == "impala-catch" ? 6000 : 12_000;
        if (preset != "impala-catch")
            special = [.. special, $"workers.count={1 + (seed % 2)}", $"parameterServer.gradientEncoding={(seed % 4 == 3 ? "float16" : "float32")}"];
        string[] words = [.. special, .. _small, $"frames={frames}", $"seed={seed}", .. more];
        return new SimulationRequest(
            ConfigLoader.Load(preset, [.. words.Select(ConfigOverride.Parse)]), Nodes: 3, faults,
            $"./rl simulate {preset} --nodes 3 {(faults ? "--faults " : "")}{string.Join(' ', words.Select(word => $"--set {word}"))}");
    }

    public static SimulationReport Run(ulong seed, bool faults = true, long? frames = null, string preset = "impala-catch") =>
        SimulatedHost.RunCluster(Request(seed, faults, frames, preset));

    public static void SkipWithoutSimulation() =>
        Assert.SkipWhen(SimulatedHost.Missing is not null, $"{EngineHost.Name}: the simulation is the embedded engine's.");
}

using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.RunDirectory;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests;

/// <summary>A run directory with an untrained network.</summary>
internal static class UntrainedRun
{
    /// <returns>The path.</returns>
    public static async Task<string> CreateAsync(string path, string preset)
    {
        var config = ConfigLoader.Load(preset, []);
        using var folder = RunFolder.Create(path, config, TimeProvider.System);
        folder.WriteConfig(config);
        var spec = EnvironmentRegistry.Default.Spec(config.Environment);
        var network = PolicyValueNetwork.Create(config.Network, spec.Observation, spec.DiscreteActions);
        var parameters = new float[network.Layout.Count];
        var random = RandomStream.Create(1, StreamRole.Initialization);
        network.Initialize(parameters, ref random);
        await folder.Checkpoints(config, Logger.None).SaveAsync(new Checkpoint { Tensors = [new NamedTensor("parameters", [parameters.Length], parameters)] }, 5);
        return path;
    }
}

using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Evaluation;

/// <summary>A policy from a checkpoint, with the environment that it was trained on.</summary>
internal sealed class TrainedAgent
{
    private TrainedAgent(TrainingConfig config, AgentNetwork network, float[] parameters, string path, long frames) =>
        (Config, Network, Parameters, Path, Frames) = (config, network, parameters, path, frames);

    public TrainingConfig Config { get; }

    public AgentNetwork Network { get; }

    /// <summary>The weights, flat, in the order of the network's layout.</summary>
    public float[] Parameters { get; }

    /// <summary>The checkpoint's file.</summary>
    public string Path { get; }

    /// <summary>Frames that it had learned from.</summary>
    public long Frames { get; }

    /// <summary>Loads the newest usable checkpoint of a run directory, or a checkpoint file.</summary>
    /// <exception cref="ConfigException">There is no such run or file.</exception>
    /// <exception cref="CheckpointFormatException">No checkpoint can be used.</exception>
    public static TrainedAgent Load(string path, ILogger logger)
    {
        if (Directory.Exists(path))
        {
            var config = RunFolder.ReadConfig(path, []);
            var latest = RunFolder.CheckpointsOf(path, config, logger).LoadLatest();
            return Create(latest.Checkpoint, latest.Path);
        }
        if (File.Exists(path)) return Create(CheckpointStore.Read(PhysicalFileSystem.Instance, path), path);
        throw new ConfigException($"There is no run directory or checkpoint file {path}. `rl train PRESET` makes one below runs/.");
    }

    /// <summary>The network as the checkpoint's own configuration has it, with the checkpoint's tensor "parameters".</summary>
    private static TrainedAgent Create(Checkpoint checkpoint, string path)
    {
        var config = ConfigLoader.Parse(checkpoint.Text(CheckpointStore.ConfigKey), $"the configuration in {path}", "", []);
        var spec = KnownEnvironments.All.Spec(config.Environment);
        var network = Algorithms.Find(config.Algorithm).CreateNetwork(config.Network, spec);
        var parameters = checkpoint.Tensor("parameters").Floats;
        if (parameters.Length != network.Layout.Count)
        {
            throw new CheckpointFormatException(
                $"{path} has {parameters.Length} parameters, but the network of its configuration has {network.Layout.Count}: "
                + "another version of the program wrote it.");
        }
        return new TrainedAgent(
            config, network, parameters, path, long.TryParse(checkpoint.Text(CheckpointStore.FramesKey), out var frames) ? frames : 0);
    }

    /// <summary>A player of this agent's environment.</summary>
    /// <param name="environments">How many copies play side by side.</param>
    /// <param name="seed">Seed of the environments' and the policy's luck; neither meets the streams of training.</param>
    /// <param name="sample">Whether actions are drawn from the policy; else the likeliest one is taken.</param>
    /// <exception cref="ConfigException">The agent has action values, from which nothing can be drawn.</exception>
    public AgentPlayer CreatePlayer(int environments, ulong seed, bool sample)
    {
        if (sample && Network is ActionValueNetwork)
            throw new ConfigException($"--sample: {Config.Algorithm} learned action values, and no policy to draw from. Leave it out.");
        return new AgentPlayer(
            KnownEnvironments.All.Create(Config.Environment, environments, RandomStream.Create(seed, StreamRole.EvaluationEnvironment)),
            Network, Parameters, RandomStream.Create(seed, StreamRole.EvaluationPolicy), sample);
    }
}

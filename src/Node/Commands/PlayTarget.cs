using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Evaluation;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Commands;

/// <summary>What <c>rl play</c> shows: a trained agent, or random actions in an environment.</summary>
internal static class PlayTarget
{
    private static EnvironmentRegistry Environments => KnownEnvironments.All;

    /// <summary>The options that <c>--set</c> may change; bound like those of a run.</summary>
    private sealed record Options
    {
        public EnvironmentOptions Environment { get; init; } = new();
    }

    /// <summary>Makes a player of one environment.</summary>
    /// <param name="target">A run directory, a checkpoint file, or the name of an environment; the first of these that exists.</param>
    /// <param name="overrides">Options of an environment, "environment.KEY".</param>
    /// <param name="seed">Of what happens; null for the run's, or 1.</param>
    /// <exception cref="ConfigException">There is no such thing, or an option does not suit it.</exception>
    public static IPlayer Resolve(string target, IReadOnlyList<ConfigOverride> overrides, ulong? seed, ILogger logger)
    {
        if (!RunFolder.HasRun(target) && !File.Exists(target))
        {
            if (Knows(target)) return RandomPlayer(target, overrides, seed ?? new TrainingConfig().Seed);
            if (!Directory.Exists(target))
            {
                throw new ConfigException(
                    $"There is no run directory or checkpoint file '{target}', and no environment of that name"
                    + $"{NearestName.Hint(target, Environments.Names)} `rl train PRESET` makes a run below runs/, `rl list` shows the environments.");
            }
        }
        if (overrides.Count > 0)
            throw new ConfigException($"{overrides[0].Option}: a run plays in the environment that it was trained in; leave --set out.");
        var agent = TrainedAgent.Load(target, logger);
        return agent.CreatePlayer(environments: 1, seed ?? agent.Config.Seed, sample: false);
    }

    private static RandomPlayer RandomPlayer(string name, IReadOnlyList<ConfigOverride> overrides, ulong seed)
    {
        var argument = new ConfigSource($"rl play {name}");
        var tree = new ConfigMapping(argument, []);
        tree.Set(["environment", "name"], new ConfigScalar(argument, name, Quoted: true), argument);
        foreach (var change in overrides)
        {
            var source = new ConfigSource(change.Option);
            if (change.Path == "environment.name") throw source.Error($"the environment is {name} already; leave it out.");
            tree.Set(change.Path.Split('.'), YamlTree.ReadValue(change.Value, source), source);
        }
        var options = new ConfigBinder().Bind<Options>(tree).Environment;
        try
        {
            var environments = Environments.Create(options, 1, RandomStream.Create(seed, StreamRole.EvaluationEnvironment));
            return new RandomPlayer(environments, RandomStream.Create(seed, StreamRole.EvaluationPolicy));
        }
        catch (Exception e) when (e is ArgumentException or EnvironmentException)
        {
            throw (overrides.Count > 0 ? new ConfigSource(overrides[^1].Option) : argument).Error(ConfigRules.Message(e));
        }
    }

    private static bool Knows(string environment)
    {
        try
        {
            return Environments.Find(environment) is not null;
        }
        catch (EnvironmentException e)
        {
            throw new ConfigException(e.Message, e);
        }
    }
}

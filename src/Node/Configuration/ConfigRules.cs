using System.Text.Json;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Configuration;

/// <summary>Combinations that each option allows alone, but that cannot run together.</summary>
internal static class ConfigRules
{
    private const string HiddenKey = "network.hidden", LstmKey = "network.lstm";

    /// <exception cref="ConfigException">Options do not fit together; the message names them and where the first one stands.</exception>
    public static void Check(
        TrainingConfig config, ConfigSource file, IReadOnlyDictionary<string, ConfigSource> sources, EnvironmentRegistry environments)
    {
        ConfigException Error(string path, string message) => (sources.TryGetValue(path, out var source) ? source : file).Error(message);
        CheckAgent(config, sources, environments, Error);
        CheckUnrolls(config, sources, Error);
        if (config.Learner is AsyncLearnerOptions learner) CheckAsync(config, learner, environments, Error);
        if (config.ParameterServer.Shards > 0 && (config.Learner is not AsyncLearnerOptions || config.Algorithm == "a2c"))
        {
            throw Error("parameterServer.shards",
                $"parameterServer.shards: {config.Algorithm} has its parameters in one process. Set it to 0, or choose a3c or another asynchronous algorithm.");
        }
        if (config.Algorithm == "impala" && config.Network.Lstm > 0)
        {
            throw Error("network.lstm",
                $"network.lstm is {config.Network.Lstm}, but impala has no LSTM: its unrolls do not carry the state. Set it to 0.");
        }
        if (config.Run is { CheckpointSeconds: 0, CheckpointFrames: 0 })
        {
            throw Error("run.checkpointSeconds",
                "run.checkpointSeconds and run.checkpointFrames are both 0: no checkpoint would ever be written.");
        }
        if (config.Preset.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()) || config.Preset.StartsWith('.'))
        {
            throw Error("preset", $"preset '{config.Preset}' names the run directory: use letters, digits and dashes.");
        }
    }

    /// <summary>Environment, network and optimizer must exist, make sense and suit each other.</summary>
    private static void CheckAgent(
        TrainingConfig config, IReadOnlyDictionary<string, ConfigSource> sources, EnvironmentRegistry environments,
        Func<string, string, ConfigException> error)
    {
        if (!Torsos.Names.Contains(config.Network.Torso))
        {
            throw error("network.torso",
                $"there is no torso '{config.Network.Torso}'{NearestName.Hint(config.Network.Torso, Torsos.Names)} "
                + $"There are: {string.Join(", ", Torsos.Names)}.");
        }
        var at = "environment.name";
        try
        {
            if (environments.Find(config.Environment.Name) is null)
            {
                throw error(at,
                    $"there is no environment '{config.Environment.Name}'"
                    + $"{NearestName.Hint(config.Environment.Name, environments.Names)} `rl list` shows all.");
            }
            at = "environment";
            var spec = environments.Spec(config.Environment);
            _ = spec.DiscreteActions;
            at = "network";
            Algorithms.Find(config.Algorithm).CreateNetwork(config.Network, spec);
            at = "learner.optimizer";
            (config.Learner as ImpalaOptions)?.Optimizer.Create(0);
        }
        catch (OverflowException)
        {
            throw error(LargestKey(config.Network), $"{Sizes(config.Network)} makes a network of more parameters than one array holds. Make it smaller.");
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or EnvironmentException)
        {
            // The option at fault, where the exception names it; else what the command line says about this part.
            var option = $"{at}.{JsonNamingPolicy.CamelCase.ConvertName((e as ArgumentException)?.ParamName ?? "")}";
            var typed = Typed(at) ?? (at == "network" ? Typed("environment") : null);
            throw error(sources.ContainsKey(option) ? option : typed ?? at, Message(e));
        }

        string? Typed(string part) => sources.LastOrDefault(pair => pair.Key.StartsWith(part, StringComparison.Ordinal) && pair.Value.Line == 0).Key;
    }

    /// <summary>What an exception says, without the name of a parameter.</summary>
    public static string Message(Exception e) =>
        e is ArgumentException { ParamName: { } name }
            ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
            : e.Message;

    private static void CheckAsync(
        TrainingConfig config, AsyncLearnerOptions learner, EnvironmentRegistry environments, Func<string, string, ConfigException> error)
    {
        if (config.Network.NormalizeObservations)
            throw error("network.normalizeObservations",
                $"network.normalizeObservations: {config.Algorithm} has no learner that sees all observations and could keep their statistics. Leave it out.");
        if (learner is AsyncQOptions or GorilaOptions && config.Network.Lstm > 0)
            throw error("network.lstm", $"network.lstm is {config.Network.Lstm}, but {config.Algorithm} has no LSTM; a3c and a2c do. Set it to 0.");
        if (learner is GorilaOptions gorila) CheckReplay(config, gorila, environments.Spec(config.Environment).Observation, error);
        if (config.Algorithm == "a2c" && !learner.Update.Rule.HasSharedStatistics())
            throw error("learner.update.rule", "learner.update.rule: a2c makes one update of all learners, so its statistics are shared: sharedRmsProp or adaGrad.");
    }

    private static void CheckReplay(
        TrainingConfig config, GorilaOptions learner, ObservationSpec observation, Func<string, string, ConfigException> error)
    {
        if (learner.ReplayStart > learner.ReplayCapacity)
            throw error("learner.replayStart",
                $"learner.replayStart is {learner.ReplayStart}, but a memory holds {learner.ReplayCapacity} steps (learner.replayCapacity): learning would never begin.");
        // The newest step of each environment cannot be drawn before the next one is there, too.
        var environments = (long)config.Workers.EnvironmentsPerWorker * (learner.Replay == ReplayScope.Global ? RunPlan.WorkerCount(config) : 1);
        if (learner.ReplayCapacity < 2 * environments)
            throw error("learner.replayCapacity",
                $"learner.replayCapacity is {learner.ReplayCapacity}, but {environments} environments share a memory: steps would be gone before the next of "
                + $"their environment comes. Give it {2 * environments} at least, better thousands.");
        if (TransitionBatch.BytesFor(observation, learner.BatchSize) > TransitionBatch.MaxBytes)
            throw error("learner.batchSize",
                FormattableString.Invariant($"learner.batchSize is {learner.BatchSize}: a minibatch of so many steps, {TransitionBatch.BytesFor(observation, 1):N0} bytes each, ")
                + FormattableString.Invariant($"is larger than {TransitionBatch.MaxBytes >> 20} MiB, the most there is. Give it ")
                + FormattableString.Invariant($"{TransitionBatch.MaxBytes / TransitionBatch.BytesFor(observation, 1)} at most."));
    }

    private static void CheckUnrolls(
        TrainingConfig config, IReadOnlyDictionary<string, ConfigSource> sources, Func<string, string, ConfigException> error)
    {
        var workers = config.Workers;
        if (config.Learner is ImpalaOptions learner && learner.Batch % workers.EnvironmentsPerWorker != 0)
        {
            throw error(sources.ContainsKey("learner.batch") ? "learner.batch" : "workers.environmentsPerWorker",
                $"learner.batch ({learner.Batch}) is not a multiple of workers.environmentsPerWorker ({workers.EnvironmentsPerWorker}): "
                + "a batch is made of whole unrolls.");
        }
    }

    /// <summary>A run without other nodes needs workers enough for a batch.</summary>
    /// <param name="config">A configuration that was checked.</param>
    /// <param name="environments">Those that it may name.</param>
    /// <exception cref="ConfigException">There are too few; the message says what to change.</exception>
    public static void CheckWorkers(TrainingConfig config, EnvironmentRegistry environments)
    {
        if (config.Learner is not ImpalaOptions) return;
        var shape = WorkerPlan.ShapeOf(config, environments.Spec(config.Environment));
        if (ImpalaRunPlan.Shortage(config, shape, RunPlan.WorkerCount(config)) is { } shortage)
            throw new ConfigException($"learner.batch: {shortage}: {ImpalaRunPlan.Cure}");
    }

    /// <summary>What a run allocates for its network must fit into memory.</summary>
    /// <param name="config">A configuration that was checked.</param>
    /// <param name="environments">Those that it may name.</param>
    /// <param name="availableBytes">What the process may have.</param>
    /// <exception cref="ConfigException">It does not; the message names the key, its value and both sizes.</exception>
    public static void CheckMemory(TrainingConfig config, EnvironmentRegistry environments, long availableBytes)
    {
        var network = Algorithms.Find(config.Algorithm).CreateNetwork(config.Network, environments.Spec(config.Environment));
        var (lanes, units) = (RunPlan.Lanes(config), config.Network.Torso == "mlp" ? config.Network.Hidden.Sum(each => (long)each) : 0);
        // Parameters, their first values, the optimizer's numbers; what each lane has of its own; and activations with their gradients.
        var copies = 3 + (config.Learner is AsyncLearnerOptions ? 2 : 1) * lanes;
        // Of a large network IMPALA's learner takes one environment at a time.
        var rows = lanes * (config.Workers.UnrollLength + 1.0) * (config.Learner is ImpalaOptions ? 1 : config.Workers.EnvironmentsPerWorker);
        var bytes = sizeof(float) * ((double)copies * network.Layout.Count + 2 * rows * (units + config.Network.Lstm));
        var minibatches = (config.Learner as GorilaOptions) is { } gorila ? lanes * MinibatchBytes(gorila, network.Observation, units) : 0;
        bytes += minibatches;
        if (bytes > availableBytes && minibatches > bytes / 2)
            throw new ConfigException(
                FormattableString.Invariant($"learner.batchSize = {((GorilaOptions)config.Learner).BatchSize} makes minibatches that take {minibatches / 1e9:N1} GB on {lanes} threads ")
                + FormattableString.Invariant($"(learner.parallelism); there are {availableBytes / 1e9:N1}. Make it smaller."));
        if (bytes > availableBytes)
            throw new ConfigException(
                FormattableString.Invariant($"{Sizes(config.Network)} makes a network of {network.Layout.Count:N0} parameters, whose training takes ")
                + FormattableString.Invariant($"{bytes / 1e9:N1} GB at least; there are {availableBytes / 1e9:N1}. Make it smaller."));
    }

    // A minibatch of a thread: its rows go through the online network once, with double Q-learning twice, with gradients; and through the target network.
    private static double MinibatchBytes(GorilaOptions options, ObservationSpec observation, long units) =>
        TransitionBatch.BytesFor(observation, options.BatchSize) + (double)sizeof(float) * options.BatchSize * units * (options.DoubleQ ? 5 : 3);

    // The key that makes a network large, with its value.
    private static string Sizes(NetworkOptions options) => LargestKey(options) == LstmKey
        ? $"{LstmKey} = {options.Lstm}"
        : $"{HiddenKey} = [{string.Join(", ", options.Hidden)}]";

    private static string LargestKey(NetworkOptions options) =>
        options.Torso != "mlp" || options.Lstm > options.Hidden.DefaultIfEmpty().Max() ? LstmKey : HiddenKey;
}

using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Configuration;

/// <summary>Combinations that each option allows alone, but that cannot run together.</summary>
internal static class ConfigRules
{
    /// <exception cref="ConfigException">Options do not fit together; the message names them and where the first one stands.</exception>
    public static void Check(TrainingConfig config, ConfigSource file, IReadOnlyDictionary<string, ConfigSource> sources)
    {
        ConfigException Error(string path, string message) => (sources.TryGetValue(path, out var source) ? source : file).Error(message);
        var (workers, learner) = (config.Workers, config.Learner);

        if (learner.Batch % workers.EnvironmentsPerWorker != 0)
        {
            throw Error(sources.ContainsKey("learner.batch") ? "learner.batch" : "workers.environmentsPerWorker",
                $"learner.batch ({learner.Batch}) is not a multiple of workers.environmentsPerWorker ({workers.EnvironmentsPerWorker}): "
                + "a batch is made of whole unrolls.");
        }
        var count = workers.Count == 0 ? Environment.ProcessorCount : workers.Count;
        var unrolls = learner.Batch / workers.EnvironmentsPerWorker;
        if (unrolls > count * workers.Credits)
        {
            throw Error("learner.batch",
                $"learner.batch needs {unrolls} unrolls, but {count} workers with workers.credits = {workers.Credits} send at most "
                + $"{count * workers.Credits} before one is taken up: raise workers.credits, workers.count or workers.environmentsPerWorker.");
        }
        if (config.Run is { CheckpointSeconds: 0, CheckpointFrames: 0 })
        {
            throw Error("run.checkpointSeconds", "run.checkpointSeconds and run.checkpointFrames are both 0: no checkpoint would ever be written.");
        }
        if (config.Preset.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()) || config.Preset.StartsWith('.'))
        {
            throw Error("preset", $"preset '{config.Preset}' names the run directory: use letters, digits and dashes.");
        }
    }
}

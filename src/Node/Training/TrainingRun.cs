namespace Rl.Distributed.Node.Training;

/// <summary>Placeholder of the ring's wiring: replaced at merge.</summary>
public static class TrainingRun
{
    public static Task<TrainingResult> RunAsync(TrainingConfig config, TrainingRunOptions options, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This build has no training ring.");
}

using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Output;

/// <summary>A line every few seconds, for files, pipes and build servers.</summary>
internal sealed class PlainDisplay(TextWriter output, TextWriter error, TrainingConfig config, TimeProvider clock) : TrainingDisplay
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private long _lastShown = clock.GetTimestamp();

    public override TextWriter People => error;

    public override void Start(string runDirectory, LoadedCheckpoint? resume) => output.WriteLine(
        resume is null
            ? $"Training {config.Preset} (seed {config.Seed}) for {Count(config.Frames)} frames in {runDirectory}"
            : $"Continuing {config.Preset} (seed {config.Seed}) from {Count(resume.Frames)} to {Count(config.Frames)} frames "
                + $"in {runDirectory}");

    public override void Show(TrainingProgress progress)
    {
        if (clock.GetElapsedTime(_lastShown) < Interval) return;
        _lastShown = clock.GetTimestamp();
        output.WriteLine(
            $"{Count(progress.Frames)} / {Count(progress.TotalFrames)} frames  {Count(progress.FramesPerSecond)} frames/s  "
            + $"return {Number(progress.MeanReturn100)}{Greedy(progress)}  lag {Number(progress.PolicyLag)}  "
            + (double.IsNaN(progress.ShardSkew) ? "" : $"skew {Number(progress.ShardSkew)}  ") + $"{Number(progress.UpdatesPerSecond)} updates/s"
            + (progress.Remaining is { } left ? $"  {Duration(left)} left" : ""));
    }

    private static string Greedy(TrainingProgress progress) =>
        progress.Evaluation is { } greedy ? $"  greedy {Number(greedy.MeanReturn)} at {Count(greedy.Frames)}" : "";

    public override void Stop() => output.Flush();

    public override void Summarize(TrainingResult result) => output.WriteLine($"{Summary(result)}; {result.RunDirectory}");
}

using System.Globalization;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Output;

/// <summary>Shows people how training goes: redrawn in a terminal, a line every few seconds elsewhere.</summary>
internal abstract class TrainingDisplay : IDisposable
{
    /// <summary>Where warnings may be written while the display runs.</summary>
    public abstract TextWriter People { get; }

    /// <summary>With <paramref name="json"/> everything goes to standard error, so that standard output stays clean.</summary>
    public static TrainingDisplay Create(CommandHost host, TrainingConfig config, bool json)
    {
        var (writer, isTerminal) = json ? (host.Error, host.ErrorIsTerminal) : (host.Output, host.OutputIsTerminal);
        return isTerminal ? new LiveDisplay(writer, config) : new PlainDisplay(writer, host.Error, config, host.Clock);
    }

    public virtual void Start(string runDirectory, LoadedCheckpoint? resume)
    {
    }

    /// <summary>Called by one thread at a time.</summary>
    public abstract void Show(TrainingProgress progress);

    /// <summary>Ends redrawing; may be called twice.</summary>
    public abstract void Stop();

    public abstract void Summarize(TrainingResult result);

    public void Dispose() => Stop();

    internal static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    internal static string Number(double? value) =>
        value is { } number && double.IsFinite(number) ? Short(number) : "-";

    /// <summary>With two decimals at most; what is 0 then has no sign.</summary>
    internal static string Short(double number) => (Math.Round(number, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);

    protected static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}"
        : $"{time.Minutes}:{time.Seconds:00}";

    protected static string Summary(TrainingResult result)
    {
        // A resumed run has more frames than this process trained on.
        var frames = Math.Min(result.Frames, Math.Round(result.FramesPerSecond * result.Seconds));
        return $"{Count(frames)} frames in {Number(result.Seconds)} s{(frames < result.Frames ? $" ({Count(result.Frames)} in all)" : "")}, "
            + $"{Count(result.FramesPerSecond)} frames/s, mean return of the last 100 episodes {Number(result.MeanReturn100)}"
            + (result.Evaluation is { } greedy ? $", of {greedy.Episodes} greedy ones {Number(greedy.MeanReturn)}" : "");
    }
}

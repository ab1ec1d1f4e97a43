using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Puts around an environment what the options say that is for any: the one place that knows the order.</summary>
/// <remarks>
/// From the inside out: sticky actions, action repeat, time limit, life loss, frame stack. So each repetition of an action may stick, the
/// time limit counts the agent's steps of whole games, and stacks start anew where a lost life ends an episode.
/// </remarks>
internal static class Wrapping
{
    /// <exception cref="ArgumentException">An option is out of range, or nothing that this environment can do.</exception>
    public static void Check(EnvironmentEntry entry, EnvironmentOptions options)
    {
        if (options.StickyActions is { } sticky && !(sticky is >= 0 and <= 1))
            throw new ArgumentException($"StickyActions is a probability, 0 to 1, but is {sticky}.", nameof(options.StickyActions));
        CheckAtLeast(1, options.ActionRepeat, nameof(options.ActionRepeat));
        CheckAtLeast(0, options.TimeLimit, nameof(options.TimeLimit));
        CheckAtLeast(1, options.FrameStack ?? 1, nameof(options.FrameStack));
        if (!Enum.IsDefined(options.LifeLoss)) throw new ArgumentException($"LifeLoss is {options.LifeLoss}.", nameof(options.LifeLoss));
        if (options.LifeLoss != LifeLoss.None && !entry.HasLives) throw LifeLossWrapper.NoLives(entry.Name, options.LifeLoss);
    }

    public static EnvironmentSpec Spec(EnvironmentEntry entry, EnvironmentOptions options)
    {
        var spec = entry.Spec(options);
        var frames = Frames(entry, options);
        return frames > 1 ? spec with { Observation = FrameStacking.Stacked(spec.Observation, frames) } : spec;
    }

    public static IEnvironmentBatch Create(EnvironmentEntry entry, EnvironmentOptions options, int count, RandomStream random)
    {
        var batch = AsksForSingles(entry, options)
            ? new SideBySide(count, random, luck => Limited(entry, options, Sticky(entry, options, 1, luck)))
            : Sticky(entry, options, count, random);
        try
        {
            if (options.LifeLoss != LifeLoss.None && IsOutside(entry, nameof(options.LifeLoss)))
                batch = new LifeLossWrapper(batch, options.LifeLoss);
            var frames = Frames(entry, options);
            return frames > 1 ? new FrameStack(batch, frames) : batch;
        }
        catch
        {
            (batch as IDisposable)?.Dispose();
            throw;
        }
    }

    private static IEnvironmentBatch Sticky(EnvironmentEntry entry, EnvironmentOptions options, int count, RandomStream random)
    {
        var batch = entry.Create(options, count, random);
        if (options.StickyActions is not ({ } probability and > 0) || !IsOutside(entry, nameof(options.StickyActions))) return batch;
        // A part of the stream that the environments never come to.
        random.Seek(random.Position + (1UL << 63));
        return new StickyActions(batch, probability, random);
    }

    private static bool AsksForSingles(EnvironmentEntry entry, EnvironmentOptions options) =>
        (options.ActionRepeat > 1 && IsOutside(entry, nameof(options.ActionRepeat)))
        || (options.TimeLimit > 0 && IsOutside(entry, nameof(options.TimeLimit)));

    private static IEnvironmentBatch Limited(EnvironmentEntry entry, EnvironmentOptions options, IEnvironmentBatch one)
    {
        if (options.ActionRepeat > 1 && IsOutside(entry, nameof(options.ActionRepeat))) one = new ActionRepeat(one, options.ActionRepeat);
        return options.TimeLimit > 0 && IsOutside(entry, nameof(options.TimeLimit)) ? new TimeLimit(one, options.TimeLimit) : one;
    }

    private static void CheckAtLeast(int least, int value, string option)
    {
        if (value < least) throw new ArgumentException($"{option} is {value}; it must be {least} at least.", option);
    }

    private static int Frames(EnvironmentEntry entry, EnvironmentOptions options) =>
        IsOutside(entry, nameof(options.FrameStack)) ? options.FrameStack ?? entry.FrameStack : 1;

    private static bool IsOutside(EnvironmentEntry entry, string option) => !entry.Options.Contains(option);
}

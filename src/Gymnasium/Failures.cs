namespace Rl.Distributed.Gymnasium;

/// <summary>Failures of single copies, in words.</summary>
internal static class Failures
{
    public static PythonException BadFirst { get; } = new(
        "the first observation of an episode is not finite, or outside of its space.", "Its spaces must say what it gives.", "");

    /// <summary>Why a copy has no result: its exception, or what is wrong with what it gave.</summary>
    public static PythonException Of(CopyGroup group, int copy, int index, float reward)
    {
        foreach (var failed in group.Failed ?? [])
            if (failed!["copy"]!.GetValue<int>() == copy)
                return new PythonException(
                    $"an exception in copy {index}: {failed["message"]!.GetValue<string>()}.", "",
                    failed["traceback"]!.GetValue<string>().Trim());
        return new PythonException(
            float.IsFinite(reward)
                ? $"copy {index} gave an observation that is not finite, or outside of its space."
                : $"copy {index} gave the reward {reward}.",
            "", "");
    }
}

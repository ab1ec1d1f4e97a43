namespace Rl.Distributed.Core.Environments;

/// <summary>Says what another's code threw, so that its author can mend it.</summary>
public static class EnvironmentFailure
{
    private const int MaxFrames = 6;

    /// <param name="what">What failed, such as "'my.dll:Maze', copy 3, in Step".</param>
    /// <param name="error">What it threw: its type, message and the innermost places of its stack become a part of the message.</param>
    /// <param name="cure">What to do; null where the exception says enough.</param>
    public static EnvironmentException Threw(string what, Exception error, string? cure = null) =>
        new($"{what} threw {error.GetType().Name}: {error.Message}{cure ?? Cure(error)}{Places(error)}", error);

    private static string Cure(Exception error) => error switch
    {
        FileNotFoundException lost when IsAssembly(lost.FileName) => Beside(lost.FileName!),
        FileLoadException lost when IsAssembly(lost.FileName) => Beside(lost.FileName!),
        MissingMemberException or TypeLoadException =>
            " It was built against another version of an assembly than the one that is here: build it again against this one.",
        _ => "",
    };

    private static bool IsAssembly(string? file) => file?.Contains("Culture=", StringComparison.Ordinal) == true;

    private static string Beside(string assembly) =>
        $" The assembly {assembly.Split(',')[0]} is needed, but is not beside it: "
        + "add <EnableDynamicLoading>true</EnableDynamicLoading> to its project, and build it again.";

    private static string Places(Exception error)
    {
        var lines = (error.StackTrace ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // What called it is no news to its author.
        var theirs = lines.TakeWhile(line => !line.Contains($" {typeof(EnvironmentBatch).FullName}.", StringComparison.Ordinal)
            && !line.Contains($" {typeof(CheckedBatch).FullName}.", StringComparison.Ordinal));
        return string.Concat(theirs.Take(MaxFrames).Select(line => $"\n   {line}"));
    }
}

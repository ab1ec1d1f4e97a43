using System.Collections.Immutable;

namespace Rl.Distributed.Gymnasium;

/// <summary>Which Python this process uses. That is each process's own affair, never a part of a run's configuration: this may come from
/// elsewhere.</summary>
/// <param name="Executable">A path, or a name that is looked for in PATH.</param>
/// <param name="Variables">Environment variables of its processes, beside those of this one.</param>
public sealed record PythonHost(string Executable, ImmutableDictionary<string, string> Variables)
{
    /// <summary>The environment variable that names another Python than python3.</summary>
    public const string Variable = "RL_PYTHON";

    /// <summary>What <see cref="Variable"/> names, or python3.</summary>
    public static PythonHost Default => new(
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : "python3", ImmutableDictionary<string, string>.Empty);
}

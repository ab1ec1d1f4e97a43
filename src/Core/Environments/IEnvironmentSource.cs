namespace Rl.Distributed.Core.Environments;

/// <summary>Finds environments whose names nobody can list beforehand.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IEnvironmentSource
{
    /// <summary>How its names look, such as "gym:ID".</summary>
    string NamePattern { get; }

    /// <summary>One sentence for listings.</summary>
    string Description { get; }

    /// <summary>The environment of that name; null where the name does not look like one of this source's.</summary>
    /// <exception cref="EnvironmentException">It does, but there is no such environment; the message says why, and what to do.</exception>
    EnvironmentEntry? Find(string name);
}

/// <summary>An environment cannot be made, or failed at play; the message names it, the cause and the cure.</summary>
public sealed class EnvironmentException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it has failed so often that it is not to be made again: whoever counts restarts gives up at once.</summary>
    public bool IsFinal { get; init; }
}

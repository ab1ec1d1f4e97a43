using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Environments;

/// <summary>Of the environments that sources know, those that a node's own command line names: a run that another node leads may use no other.</summary>
/// <remarks>The run names a plug-in by its path at the learner: here the file's name and the type must be the same, the folder need not.</remarks>
internal sealed class PermittedEnvironments : IEnvironmentSource
{
    private readonly EnvironmentRegistry _all;
    private readonly IReadOnlyList<EnvironmentEntry> _permitted;

    /// <param name="all">Everything that whoever typed the command line may name.</param>
    /// <param name="names">What was typed.</param>
    /// <exception cref="EnvironmentException">One of them cannot be made.</exception>
    /// <exception cref="ArgumentException">One of them does not exist.</exception>
    public PermittedEnvironments(EnvironmentRegistry all, IEnumerable<string> names)
    {
        _all = all;
        _permitted = [.. names.Select(all.Describe)];
    }

    public string NamePattern => "what --env of this node names";

    public string Description => "Environments that this node may load for others.";

    public EnvironmentEntry? Find(string name)
    {
        if (PluginName.Parse(name) is not { } plugin) return _permitted.FirstOrDefault(entry => entry.Name == name) ?? Refused(name);
        return _permitted.FirstOrDefault(entry => PluginName.Parse(entry.Name) is { } mine && mine.FileName == plugin.FileName
                && (plugin.Type.Length == 0 || mine.Type == plugin.Type))
            ?? throw new EnvironmentException(
                $"the run plays '{name}', and this node loads no code that its own command line does not name: start it with --env PATH/{plugin.FileName}:{plugin.Type}, "
                + $"where PATH is the folder of a copy of the learner's {plugin.FileName}.");
    }

    // A source may not even be asked: looking for a name can load code. Its pattern tells what looks like one of its names.
    private EnvironmentEntry? Refused(string name) =>
        name.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
        && _all.Sources.Any(source => source.NamePattern.StartsWith(name[..(colon + 1)], StringComparison.Ordinal))
            ? throw new EnvironmentException(
                $"the run plays '{name}', and this node loads no code that its own command line does not name: start it with --env {name}.")
            : null;
}

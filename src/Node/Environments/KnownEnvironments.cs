using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Environments;

/// <summary>The environments that this process can make.</summary>
internal static class KnownEnvironments
{
    /// <summary>Those that whoever typed the command line may name.</summary>
    public static EnvironmentRegistry All { get; } = new(EnvironmentRegistry.Default.Entries, [new PluginSource()]);

    /// <summary>Those that another node's run may name: none that makes this node load code which its own command line does not name.</summary>
    /// <param name="named">What the command line names.</param>
    /// <exception cref="EnvironmentException">One of these cannot be made.</exception>
    /// <exception cref="ArgumentException">One of these does not exist.</exception>
    public static EnvironmentRegistry Foreign(params IEnumerable<string> named) =>
        new(EnvironmentRegistry.Default.Entries, [new PermittedEnvironments(All, named)]);
}

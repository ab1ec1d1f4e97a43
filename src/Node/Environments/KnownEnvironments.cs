using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Environments;

/// <summary>The environments that this process can make.</summary>
internal static class KnownEnvironments
{
    /// <summary>Those that whoever typed the command line may name.</summary>
    public static EnvironmentRegistry All { get; } = EnvironmentRegistry.Default;

    /// <summary>Those that another node's run may name: none that makes this node load code which its own command line does not name.</summary>
    public static EnvironmentRegistry Foreign { get; } = EnvironmentRegistry.Default;
}

using Rl.Distributed.Core.Environments;
using Rl.Distributed.Gymnasium;
using Serilog;

namespace Rl.Distributed.Node.Environments;

/// <summary>The environments that this process can make.</summary>
internal static class KnownEnvironments
{
    private static readonly GymnasiumSource Gymnasium = new(), PlainGymnasium = new(plainIds: true);

    /// <summary>Those that whoever typed the command line may name.</summary>
    public static EnvironmentRegistry All { get; } = new(EnvironmentRegistry.Default.Entries, [Gymnasium, new PluginSource()]);

    /// <summary>Those that another node's run may name: none that makes this node load code which its own command line does not name.</summary>
    /// <param name="named">What the command line names.</param>
    /// <exception cref="EnvironmentException">One of these cannot be made.</exception>
    /// <exception cref="ArgumentException">One of these does not exist.</exception>
    public static EnvironmentRegistry Foreign(params IEnumerable<string> named) =>
        new(EnvironmentRegistry.Default.Entries, [PlainGymnasium, new PermittedEnvironments(All, named)]);

    /// <summary>Whether asking for an environment's spec may take seconds; false where there is no such environment.</summary>
    public static bool IsSlow(EnvironmentRegistry environments, string name)
    {
        try
        {
            return environments.Find(name)?.IsSlow == true;
        }
        catch (EnvironmentException)
        {
            return false;
        }
    }

    /// <summary>Writes failures of environments, which cost no more than an episode, to a log until the result is disposed of.</summary>
    public static IDisposable LogFailures(ILogger logger)
    {
        var log = new FailureLog(logger);
        foreach (var source in (GymnasiumSource[])[Gymnasium, PlainGymnasium]) source.Failed += log.Write;
        return log;
    }

    private sealed class FailureLog(ILogger logger) : IDisposable
    {
        public void Write(string what, string details)
        {
            logger.Warning("{Message}", what);
            if (details.Length > 0) logger.Information("{Details}", details);
        }

        public void Dispose()
        {
            foreach (var source in (GymnasiumSource[])[Gymnasium, PlainGymnasium]) source.Failed -= Write;
        }
    }
}

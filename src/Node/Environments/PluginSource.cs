using System.Collections.Concurrent;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Environments;

/// <summary>The user's own environments: types of assemblies that are loaded when they are named.</summary>
/// <remarks>An assembly is loaded once, and stays. Thread-safe.</remarks>
internal sealed class PluginSource : IEnvironmentSource
{
    private static readonly string[] AllOptions = [.. typeof(EnvironmentOptions).GetProperties().Select(option => option.Name)];

    private readonly ConcurrentDictionary<string, Lazy<PluginAssembly>> _loaded = new(StringComparer.Ordinal);

    public string NamePattern => "path/My.dll:MyNamespace.MyEnv";

    public string Description => "Your own, a .NET class (docs/environments/your-own.md).";

    public EnvironmentEntry? Find(string name)
    {
        if (PluginName.Parse(name) is not { } plugin) return null;
        var file = PluginFile.Read(plugin);
        var assembly = _loaded.GetOrAdd(file.Path, _ => new Lazy<PluginAssembly>(() => new PluginAssembly(plugin, file))).Value;
        var type = assembly.Find(plugin);
        var fullName = new PluginName(file.Path, type.FullName!).ToString();
        var made = new PluginType(fullName, type);
        return new EnvironmentEntry
        {
            Name = fullName,
            Description = $"{type.Name} of {file.Path}.",
            Spec = options => SpecOf(made, options),
            Create = made.Create,
            Options = made.TakesOptions ? [.. AllOptions] : [],
            Identity = $"{plugin.FileName}:{type.FullName}, build {assembly.File.ModuleVersion}",
        };
    }

    private static EnvironmentSpec SpecOf(PluginType type, EnvironmentOptions options)
    {
        var batch = type.Create(options, 1, RandomStream.Create(0, StreamRole.Environment));
        using var _ = batch as IDisposable;
        return batch.Spec;
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Environments;

/// <summary>The user's own environments: types of assemblies that are loaded when they are named.</summary>
/// <remarks>An assembly is loaded once, and stays, whatever becomes of its file; one that cannot be loaded is tried again when it is named
/// again. Thread-safe.</remarks>
internal sealed class PluginSource : IEnvironmentSource
{
    // Those for any environment are applied around it: its author need not know them.
    private static readonly ImmutableArray<string> ParticularOptions = [.. typeof(EnvironmentOptions).GetProperties()
        .Where(option => !Attribute.IsDefined(option, typeof(ForAnyEnvironmentAttribute))).Select(option => option.Name)];

    private readonly ConcurrentDictionary<string, Lazy<PluginAssembly>> _loaded = new(StringComparer.Ordinal);

    public string NamePattern => "path/My.dll:MyNamespace.MyEnv";

    public string Description => "Your own, a .NET class (docs/environments/your-own.md).";

    public EnvironmentEntry? Find(string name)
    {
        if (PluginName.Parse(name) is not { } plugin) return null;
        var assembly = _loaded.TryGetValue(Path.GetFullPath(plugin.Path), out var loaded) ? loaded.Value : Load(plugin);
        var type = assembly.Find(plugin);
        var fullName = new PluginName(assembly.File.Path, type.FullName!).ToString();
        var made = new PluginType(fullName, type);
        return new EnvironmentEntry
        {
            Name = fullName,
            Description = $"{type.Name} of {assembly.File.Path}.",
            Spec = options => SpecOf(made, options),
            Create = made.Create,
            Options = made.TakesOptions ? ParticularOptions : [],
            HasLives = typeof(IHasLives).IsAssignableFrom(type),
            Identity = $"{plugin.FileName}:{type.FullName}, build {assembly.File.ModuleVersion}",
        };
    }

    private PluginAssembly Load(PluginName plugin)
    {
        var file = PluginFile.Read(plugin);
        var loading = _loaded.GetOrAdd(file.Path, _ => new Lazy<PluginAssembly>(() => new PluginAssembly(plugin, file)));
        try
        {
            return loading.Value;
        }
        catch
        {
            _loaded.TryRemove(KeyValuePair.Create(file.Path, loading));
            throw;
        }
    }

    private static EnvironmentSpec SpecOf(PluginType type, EnvironmentOptions options)
    {
        var batch = type.Create(options, 1, RandomStream.Create(0, StreamRole.Environment));
        using var _ = batch as IDisposable;
        return batch.Spec;
    }
}

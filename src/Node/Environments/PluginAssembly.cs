using System.Reflection;
using System.Runtime.Loader;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Environments;

/// <summary>A user's assembly, loaded with what lies beside it. Only Rl.Distributed.Core is this program's own.</summary>
internal sealed class PluginAssembly
{
    private readonly Assembly _assembly;
    private readonly List<Type> _environments;

    /// <exception cref="EnvironmentException">The assembly, or one that it needs, cannot be loaded.</exception>
    public PluginAssembly(PluginName name, PluginFile file)
    {
        File = file;
        try
        {
            _assembly = new Context(file.Path).LoadFromAssemblyPath(file.Path);
            _environments = [.. _assembly.GetTypes().Where(PluginType.IsEnvironment).OrderBy(type => type.FullName, StringComparer.Ordinal)];
        }
        catch (ReflectionTypeLoadException e)
        {
            throw EnvironmentFailure.Threw($"'{name}': reading its types", e.LoaderExceptions.OfType<Exception>().FirstOrDefault() ?? e);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            throw EnvironmentFailure.Threw($"'{name}': loading it", e);
        }
    }

    public PluginFile File { get; }

    /// <summary>The environment of that name; where none is given, the only one.</summary>
    /// <exception cref="EnvironmentException">There is none, or there are several.</exception>
    public Type Find(PluginName name)
    {
        if (name.Type.Length == 0)
        {
            return _environments switch
            {
                [var only] => only,
                [] => throw new EnvironmentException(
                    $"'{name}': no type in {name.FileName} is an environment: implement {nameof(IDiscreteEnvironment)} in a class that is not abstract."),
                _ => throw new EnvironmentException(
                    $"'{name}': {name.FileName} has several environments; name one: {string.Join(", ", _environments.Select(each => $"{name.Path}:{each.FullName}"))}."),
            };
        }
        // A nested type's name is written with + or, as in C#, with a dot.
        var type = _assembly.GetType(name.Type) ?? _assembly.GetTypes().FirstOrDefault(each => each.FullName?.Replace('+', '.') == name.Type);
        if (type is not null) return type;
        var names = _environments.Select(each => each.FullName!).ToList();
        // Most often the namespace was forgotten.
        var hint = names.FirstOrDefault(full => full.EndsWith("." + name.Type, StringComparison.Ordinal)) is { } full
            ? $"; did you mean '{full}'?"
            : NearestName.Hint(name.Type, names);
        throw new EnvironmentException(
            $"'{name}': {name.FileName} has no type '{name.Type}'{hint} "
            + (names.Count == 0 ? "No type in it is an environment." : $"Its environments are: {string.Join(", ", names)}."));
    }

    /// <summary>Looks beside the plug-in first; what is not there is the program's.</summary>
    private sealed class Context(string path) : AssemblyLoadContext(path)
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name != typeof(IEnvironmentBatch).Assembly.GetName().Name && _resolver.ResolveAssemblyToPath(assemblyName) is { } found
                ? LoadFromAssemblyPath(found)
                : null;

        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } found ? LoadUnmanagedDllFromPath(found) : 0;
    }
}

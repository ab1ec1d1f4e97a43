using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Environments;

/// <summary>What can be told of an assembly without loading it.</summary>
/// <param name="Path">The file's full path.</param>
/// <param name="ModuleVersion">Differs from build to build, unless the sources and the compiler are the same.</param>
internal sealed record PluginFile(string Path, Guid ModuleVersion)
{
    /// <summary>Reads the file's head, and insists that it can be a plug-in of this program.</summary>
    /// <param name="name">The plug-in's name, for errors.</param>
    /// <exception cref="EnvironmentException">There is no such file, or it is no assembly that was built for this program.</exception>
    public static PluginFile Read(PluginName name)
    {
        var path = FullPath(name);
        try
        {
            using var stream = File.OpenRead(path);
            using var file = new PEReader(stream);
            if (!file.HasMetadata) throw NotAnAssembly(name, "it is native code");
            var metadata = file.GetMetadataReader();
            if (!metadata.IsAssembly) throw NotAnAssembly(name, "it is a module of one");
            CheckCore(name, metadata);
            return new PluginFile(path, metadata.GetGuid(metadata.GetModuleDefinition().Mvid));
        }
        catch (BadImageFormatException e)
        {
            throw NotAnAssembly(name, e.Message.TrimEnd('.'), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"'{name}': the file {path} cannot be read: {e.Message}", e);
        }
    }

    private static string FullPath(PluginName name)
    {
        // A file of another machine could be any code by the time that it is loaded.
        if (name.Path.StartsWith(@"\\", StringComparison.Ordinal) || name.Path.StartsWith("//", StringComparison.Ordinal))
            throw new EnvironmentException($"'{name}': environments are not loaded from other machines: copy {name.FileName} to this one.");
        var path = System.IO.Path.GetFullPath(name.Path);
        if (File.Exists(path)) return path;
        var slashed = System.IO.Path.GetFullPath(name.Path.Replace('\\', '/'));
        if (File.Exists(slashed)) return slashed;
        if (Directory.Exists(path)) throw new EnvironmentException($"'{name}': {path} is a folder: name the assembly in it.");
        throw new EnvironmentException($"'{name}': there is no file {path}. Build the project (dotnet build -c Release), and name the .dll below its bin folder.");
    }

    private static EnvironmentException NotAnAssembly(PluginName name, string reason, Exception? inner = null) =>
        new($"'{name}': {name.FileName} is not a .NET assembly ({reason}): name the .dll that `dotnet build` of your project writes.", inner);

    private static void CheckCore(PluginName name, MetadataReader metadata)
    {
        var core = typeof(IEnvironmentBatch).Assembly.GetName();
        foreach (var handle in metadata.AssemblyReferences)
        {
            var reference = metadata.GetAssemblyReference(handle);
            if (metadata.GetString(reference.Name) != core.Name) continue;
            if (IsCompatible(reference.Version, core.Version!)) return;
            throw new EnvironmentException(
                $"'{name}' was built with {core.Name} {reference.Version.ToString(3)}, but this program has {core.Version!.ToString(3)}: "
                + $"reference the package {core.Name} {core.Version!.ToString(3)} in its project, and build it again.");
        }
        if (metadata.GetString(metadata.GetAssemblyDefinition().Name) == core.Name) return;
        throw new EnvironmentException(
            $"'{name}': {name.FileName} does not use {core.Name}, so it has no environment: reference that package, and implement {nameof(IDiscreteEnvironment)}.");
    }

    /// <summary>Whether what was built with one version runs with another: as semantic versions promise, 0.x only within one x.</summary>
    public static bool IsCompatible(Version built, Version here) =>
        built.Major == here.Major && (here.Major > 0 || built.Minor == here.Minor) && built <= here;
}

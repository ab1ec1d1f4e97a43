using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Environments;

namespace Rl.Distributed.Node.Tests.Environments;

public sealed class PluginFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("a/My.dll:Ns.Env", "a/My.dll", "Ns.Env", "My.dll")]
    [InlineData("My.DLL", "My.DLL", "", "My.DLL")]
    [InlineData(@"C:\games\My.dll:Ns.Env", @"C:\games\My.dll", "Ns.Env", "My.dll")]
    [InlineData(@"C:\games\My.dll", @"C:\games\My.dll", "", "My.dll")]
    [InlineData("a:b/x.dll:c/My.dll:Ns.Env+Inner", "a:b/x.dll:c/My.dll", "Ns.Env+Inner", "My.dll")]
    [InlineData("gym:CartPole-v1", null, null, null)]
    [InlineData("catch", null, null, null)]
    [InlineData("dll", null, null, null)]
    public void Names_are_taken_apart(string name, string? path, string? type, string? file)
    {
        var plugin = PluginName.Parse(name);
        Assert.Equal((path, type, file), (plugin?.Path, plugin?.Type, plugin?.FileName));
        Assert.True(plugin is null || plugin.ToString() == name);
    }

    [Theory]
    [InlineData("0.1.0", "0.1.0", true)]
    [InlineData("0.1.0", "0.1.3", true)]
    [InlineData("0.1.3", "0.1.0", false)]
    [InlineData("0.1.0", "0.2.0", false)]
    [InlineData("1.1.0", "1.2.0", true)]
    [InlineData("1.3.0", "1.2.0", false)]
    [InlineData("1.1.0", "2.1.0", false)]
    public void Versions_fit_as_semantic_ones_promise(string built, string here, bool expected) =>
        Assert.Equal(expected, PluginFile.IsCompatible(Version.Parse(built), Version.Parse(here)));

    [Fact]
    public void A_file_that_is_not_there_a_folder_and_another_machine_are_told_apart()
    {
        Assert.Contains($"there is no file {_directory.File("no.dll")}. Build the project", Refusal(_directory.File("no.dll") + ":A.B"));
        Directory.CreateDirectory(_directory.File("a.dll"));
        Assert.Contains("is a folder: name the assembly in it", Refusal(_directory.File("a.dll")));
        Assert.Contains("environments are not loaded from other machines: copy My.dll to this one", Refusal(@"\\server\share\My.dll:A.B"));
    }

    [Fact]
    public void What_is_no_assembly_is_told_so()
    {
        var path = _directory.File("text.dll");
        File.WriteAllText(path, "This is no assembly, but long enough to have been one if it had wanted to be.");
        Assert.Contains("text.dll is not a .NET assembly", Refusal(path));
        File.WriteAllText(path, "");
        Assert.Contains("text.dll is not a .NET assembly", Refusal(path));
        Assert.Contains("name the .dll that `dotnet build` of your project writes", Refusal(path));
    }

    [Fact]
    public void An_assembly_for_another_version_names_both()
    {
        var core = typeof(IEnvironmentBatch).Assembly.GetName();
        var message = Refusal(Emit("Old", (core.Name!, new Version(9, 8, 7, 0))));
        Assert.Contains($"was built with {core.Name} 9.8.7, but this program has {core.Version!.ToString(3)}", message);
        Assert.Contains("build it again", message);
    }

    [Fact]
    public void An_assembly_that_does_not_use_the_contract_is_told_so() =>
        Assert.Contains("does not use Rl.Distributed.Core, so it has no environment", Refusal(Emit("Other", ("System.Runtime", new Version(10, 0, 0, 0)))));

    [Fact]
    public void An_assembly_without_environments_is_told_so()
    {
        var core = typeof(IEnvironmentBatch).Assembly.GetName();
        Assert.Contains("no type in Empty.dll is an environment: implement IDiscreteEnvironment", Refusal(Emit("Empty", (core.Name!, core.Version!))));
    }

    [Fact]
    public void Backslashes_are_folders_everywhere()
    {
        var core = typeof(IEnvironmentBatch).Assembly.GetName();
        var path = Emit("Slashed", (core.Name!, core.Version!));
        Assert.Equal(Path.GetFullPath(path), PluginFile.Read(PluginName.Parse(path.Replace('/', '\\'))!.Value).Path);
    }

    [Fact]
    public void A_path_in_a_file_begins_at_the_file()
    {
        var folder = Path.GetFullPath(_directory.Path);
        Assert.Equal(Path.Combine(folder, "bin", "My.dll") + ":A.B", PluginName.From("bin/My.dll:A.B", folder));
        Assert.Equal("catch", PluginName.From("catch", folder));
    }

    private static string Refusal(string name) => Assert.Throws<EnvironmentException>(() => KnownEnvironments.All.Find(name)).Message;

    /// <summary>Writes an assembly without types that refers to another.</summary>
    private string Emit(string name, (string Name, Version Version) reference)
    {
        var metadata = new MetadataBuilder();
        metadata.AddModule(0, metadata.GetOrAddString(name + ".dll"), metadata.GetOrAddGuid(Guid.NewGuid()), default, default);
        metadata.AddAssembly(metadata.GetOrAddString(name), new Version(1, 0, 0, 0), default, default, default, AssemblyHashAlgorithm.None);
        metadata.AddAssemblyReference(metadata.GetOrAddString(reference.Name), reference.Version, default, default, default, default);
        metadata.AddTypeDefinition(
            default, default, metadata.GetOrAddString("<Module>"), default, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        var image = new BlobBuilder();
        new ManagedPEBuilder(new PEHeaderBuilder(imageCharacteristics: Characteristics.Dll), new MetadataRootBuilder(metadata), new BlobBuilder()).Serialize(image);
        var path = _directory.File(name + ".dll");
        File.WriteAllBytes(path, image.ToArray());
        return path;
    }
}

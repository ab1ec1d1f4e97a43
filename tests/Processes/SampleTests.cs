using System.Text.Json;

namespace Rl.Distributed.Processes.Tests;

/// <summary>samples/GridWorld as its readers meet it: packed, built against the package, checked, trained, and acted for by other nodes.</summary>
public sealed class SampleTests(SampleTests.Sample sample) : IClassFixture<SampleTests.Sample>
{
    private const string Type = "GridWorld.CoffeeRun";

    [Fact]
    public async Task The_sample_keeps_the_contract_and_trains_to_near_the_best_return()
    {
        await using var cluster = new TestCluster();
        // The only environment of its assembly: it need not be named.
        var check = await cluster.StartAsync("check-env", null, [], "check-env", sample.Assembly, "--episodes", "200");
        Assert.Equal(0, await check.EndAsync());
        Assert.NotNull(check.Find("random play  return -0."));

        // The file names its environment by a path that begins at its own folder.
        var train = await cluster.StartAsync(
            "train", null, [], "train", Path.Combine(sample.Folder, "gridworld.yaml"), "--run-dir", cluster.RunFolder, "--frames", "600e3", "--json");
        Assert.Equal(0, await train.EndAsync());
        using var result = JsonDocument.Parse(train.Find("meanReturn100")!);
        Assert.InRange(result.RootElement.GetProperty("meanReturn100").GetDouble(), 0.85, 1);

        // From its run directory it is known where the environment is.
        var eval = await cluster.StartAsync("eval", null, [], "eval", cluster.RunFolder, "--episodes", "20");
        Assert.Equal(0, await eval.EndAsync());
    }

    [Fact]
    public async Task Another_node_loads_its_own_copy_and_only_where_its_command_line_says_so()
    {
        await using var cluster = new TestCluster();
        var copy = Directory.CreateDirectory(Path.Combine(cluster.Folder, "copy")).FullName;
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(sample.Assembly)!)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        var learner = await cluster.StartLearnerAsync(Path.Combine(sample.Folder, "gridworld.yaml"), 100_000);
        var stranger = await cluster.StartActorAsync("stranger");
        await stranger.SaysAsync($"start it with --env PATH/GridWorld.dll:{Type}");
        await cluster.StartActorAsync("friend", "--env", Path.Combine(copy, "GridWorld.dll"));
        Assert.Equal(0, await learner.EndAsync());
        Assert.NotNull(learner.Find("this node loads no code that its own command line does not name"));
    }

    /// <summary>The sample in a folder of its own, built against a package that was packed just now.</summary>
    public sealed class Sample : IAsyncLifetime
    {
        private readonly string _root = Directory.CreateTempSubdirectory("rl-sample-").FullName;

        public string Folder => Path.Combine(_root, "samples", "GridWorld");

        public string Assembly => Path.Combine(Folder, "bin", "Release", "net10.0", "GridWorld.dll");

        public async ValueTask InitializeAsync()
        {
            var repository = Repository();
            // The package is what this test's build made: bin/Release/net10.0, or with an engine's name between.
            var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!;
            var engine = configuration.Parent!.Name == "bin" ? "embedded" : configuration.Parent.Name;
            await RunAsync("dotnet", "pack", Path.Combine(repository, "src", "Core"), "-c", configuration.Name, $"-p:Engine={engine}", "--no-build",
                "-o", Path.Combine(_root, "artifacts", "packages"));
            Directory.CreateDirectory(Folder);
            foreach (var file in Directory.GetFiles(Path.Combine(repository, "samples", "GridWorld"))) File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
            await RunAsync("dotnet", "build", Folder, "-c", "Release", "-nodeReuse:false", "-p:UseSharedCompilation=false");
        }

        public ValueTask DisposeAsync()
        {
            Directory.Delete(_root, recursive: true);
            return ValueTask.CompletedTask;
        }

        private static string Repository()
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "Rl.Distributed.sln")))
                folder = folder.Parent ?? throw new InvalidOperationException("These tests are not below the repository.");
            return folder.FullName;
        }

        // Packages are unpacked in a folder of its own: an older one of the same version must not be in use.
        private async Task RunAsync(params string[] command)
        {
            using var process = await Launcher.StartAsync(command, new Dictionary<string, string?>
            {
                ["NUGET_PACKAGES"] = Path.Combine(_root, "packages"),
                ["MSBUILDDISABLENODEREUSE"] = "1",
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            });
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}\n{await output}{await error}");
        }
    }
}

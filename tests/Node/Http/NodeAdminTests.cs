using System.Diagnostics;
using System.Text.Json;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Http;

namespace Rl.Distributed.Node.Tests.Http;

public sealed class NodeAdminTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Folder => _directory.File("nodes");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(null, false)]
    [InlineData("127.0.0.1:0", true)]
    [InlineData("localhost:0", true)]
    [InlineData("0.0.0.0:0", true)]
    public async Task A_node_always_answers_on_loopback(string? http, bool same)
    {
        using var admin = NodeAdmin.Start(http is null ? null : HostPort.Parse(http), Samples.Pages());
        Assert.True(admin.Admin.IsLoopback);
        Assert.Equal(same, admin.Http?.Port == admin.Admin.Port);
        using var client = new NodeClient(TimeSpan.FromSeconds(10));
        Assert.Equal(Samples.Learner, (await client.ReadStatusAsync(admin.Admin, CancellationToken.None)).Address);
    }

    [Fact]
    public void A_node_is_found_by_its_file_until_it_stops()
    {
        using (var admin = NodeAdmin.Start(null, Samples.Pages()))
        {
            admin.Register(Samples.Learner, [Folder], DateTimeOffset.UtcNow);
            var node = Assert.Single(NodeRegistration.Find([Folder]));
            Assert.Equal((Environment.ProcessId, $"http://{admin.Admin}", Samples.Learner), (node.Pid, node.Admin, node.Address));
        }
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public void Only_its_owner_sees_the_folder()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }
        Directory.CreateDirectory(Folder);
        using var registration = NodeRegistration.Write(Node(1), [Folder]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
    }

    [Fact]
    public void A_folder_that_is_a_link_or_cannot_be_made_is_left_for_the_next_one()
    {
        File.WriteAllText(_directory.File("file"), "");
        Directory.CreateSymbolicLink(_directory.File("link"), Directory.CreateDirectory(_directory.File("target")).FullName);
        string[] unfit = [_directory.File("link"), Path.Combine(_directory.File("file"), "nodes")];
        Assert.Throws<IOException>(() => NodeRegistration.Write(Node(1), unfit));
        using var registration = NodeRegistration.Write(Node(1), [.. unfit, Folder]);
        Assert.Single(NodeRegistration.Find([.. unfit, Folder]));
        Assert.Empty(Directory.GetFiles(_directory.File("target")));
    }

    [Fact]
    public void Files_of_processes_that_are_gone_are_cleaned_up()
    {
        using var ended = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        ended.WaitForExit();
        NodeRegistration.Write(Node(1) with { Pid = ended.Id }, [Folder]);
        // The number of this process, but from before it began.
        NodeRegistration.Write(Node(2) with { Started = DateTimeOffset.UnixEpoch }, [Folder]);
        NodeRegistration.Write(Node(3), [Folder]);
        Assert.Equal("http://127.0.0.1:3", Assert.Single(NodeRegistration.Find([Folder])).Admin);
        Assert.Single(Directory.GetFiles(Folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"pid":1,"admin":"http://192.0.2.1:80","address":"a","started":"2020-01-01T00:00:00Z"}""")]
    [InlineData("""{"pid":1,"admin":"nonsense","address":"a","started":"2020-01-01T00:00:00Z"}""")]
    public void Files_of_another_kind_are_passed_over(string text)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "1-1.json"), text);
        Assert.Empty(NodeRegistration.Find([Folder]));
        Assert.Single(Directory.GetFiles(Folder));
    }

    [Fact]
    public void The_file_holds_process_address_and_start()
    {
        using var registration = NodeRegistration.Write(Node(5), [Folder]);
        using var json = JsonDocument.Parse(File.ReadAllText(Assert.Single(Directory.GetFiles(Folder))));
        Assert.Equal(["pid", "admin", "address", "started"], json.RootElement.EnumerateObject().Select(property => property.Name));
    }

    private static RegisteredNode Node(int port) => new(Environment.ProcessId, $"http://127.0.0.1:{port}", Samples.Learner, DateTimeOffset.UtcNow);
}

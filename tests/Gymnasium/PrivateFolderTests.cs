namespace Rl.Distributed.Gymnasium.Tests;

public sealed class PrivateFolderTests : IDisposable
{
    // No system has that many.
    private const int Nobody = int.MaxValue;

    private readonly string _parent = Directory.CreateTempSubdirectory("rl-tests-").FullName;

    [Fact]
    public void What_a_dead_process_left_behind_is_removed_and_nothing_else()
    {
        var (dead, alive, other) = (Make($"rl-gym-{Nobody}-00"), Make($"rl-gym-{Environment.ProcessId}-00"), Make("else"));
        PrivateFolder.RemoveLeftOver(_parent, DateTimeOffset.MinValue);
        Assert.True(Directory.Exists(dead), "It may be new.");
        PrivateFolder.RemoveLeftOver(_parent, DateTimeOffset.MaxValue);
        Assert.Equal([false, true, true], new[] { dead, alive, other }.Select(Directory.Exists));
    }

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    private string Make(string name) => Directory.CreateDirectory(Path.Combine(_parent, name)).FullName;
}

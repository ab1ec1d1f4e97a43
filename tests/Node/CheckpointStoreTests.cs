using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Node.RunDirectory;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Rl.Distributed.Node.Tests;

public sealed class CheckpointStoreTests
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "run", "checkpoints");

    private readonly MemoryFileSystem _files = new();
    private readonly LogLines _log = new();

    [Fact]
    public async Task The_newest_checkpoint_comes_back_as_it_was_saved()
    {
        var store = Store();
        await store.SaveAsync(State(100), 100);
        await store.SaveAsync(State(1_000), 1_000);
        var loaded = Store().LoadLatest();
        Assert.Equal(1_000, loaded.Frames);
        Assert.Equal([1_000f, 0.5f], loaded.Checkpoint.Tensor("parameters").Floats);
        Assert.Equal("seed: 3\n", loaded.Checkpoint.Text("config"));
        Assert.Equal("1000", loaded.Checkpoint.Text("frames"));
        Assert.Equal("kept", loaded.Checkpoint.Text("note"));
    }

    [Fact]
    public async Task A_save_is_told_when_the_file_is_there()
    {
        var (store, told) = (Store(), new List<long>());
        store.Saved += frames => told.Add(Frames().Contains((int)frames) ? frames : -1);
        await store.SaveAsync(State(100), 100);
        await store.SaveAsync(State(200), 200);
        Assert.Equal([100, 200], told);
    }

    [Fact]
    public async Task Only_the_last_few_are_kept()
    {
        var store = Store(keep: 3);
        for (var frames = 100; frames <= 600; frames += 100) await store.SaveAsync(State(frames), frames);
        Assert.Equal([400, 500, 600], Frames());
    }

    [Fact]
    public async Task Saving_the_same_frames_again_replaces_the_file()
    {
        var store = Store();
        await store.SaveAsync(State(1), 100);
        await store.SaveAsync(State(2), 100);
        Assert.Equal(2f, Store().LoadLatest().Checkpoint.Tensor("parameters").Floats[0]);
        Assert.Equal([100], Frames());
    }

    [Fact]
    public async Task Torn_foreign_and_newer_files_are_skipped_with_the_reason()
    {
        await Store(keep: 10).SaveAsync(State(100), 100);
        await Store(keep: 10).SaveAsync(State(200), 200);
        var torn = PathOf(200);
        _files.Write(torn, _files.Read(torn)[..^3]);
        _files.Write(PathOf(300), [1, 2, 3]);
        _files.Write(PathOf(400), Newer());
        _files.Write(Path.Combine(Folder, "notes.txt"), [1]);

        Assert.Equal(100, Store().LoadLatest().Frames);
        Assert.Equal(3, _log.Lines.Count);
        Assert.Contains(_log.Lines, line => line.Contains("000400.safetensors", StringComparison.Ordinal) && line.Contains("format version 2", StringComparison.Ordinal));
        Assert.Contains(_log.Lines, line => line.Contains("000300.safetensors", StringComparison.Ordinal) && line.Contains("ends within", StringComparison.Ordinal));
        Assert.Contains(_log.Lines, line => line.Contains("000200.safetensors", StringComparison.Ordinal) && line.Contains("cut short", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_usable_checkpoint_every_file_is_listed_with_its_reason()
    {
        _files.Write(PathOf(300), [1, 2, 3]);
        _files.Write(PathOf(400), Newer());
        var message = Assert.Throws<CheckpointFormatException>(() => Store().LoadLatest()).Message;
        Assert.Contains("000300.safetensors: ", message, StringComparison.Ordinal);
        Assert.Contains("000400.safetensors: ", message, StringComparison.Ordinal);
        Assert.Contains("up to 1", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_directory_is_told_as_such() =>
        Assert.StartsWith("There is no checkpoint in", Assert.Throws<CheckpointFormatException>(() => Store().LoadLatest()).Message);

    [Fact]
    public async Task After_a_resume_from_an_older_file_new_saves_win_over_the_unusable_newer_ones()
    {
        foreach (var frames in (int[])[700, 800, 900]) _files.Write(PathOf(frames), [1, 2, 3]);
        await Store().SaveAsync(State(100), 100);
        Assert.Equal(100, Store().LoadLatest().Frames);
        Assert.Contains(_files.List(Folder), name => name.EndsWith("900.safetensors.superseded", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_crash_at_any_step_of_a_save_leaves_the_previous_or_the_new_checkpoint()
    {
        var whole = new MemoryFileSystem();
        await Store(whole).SaveAsync(State(100), 100);
        var before = whole.Steps;
        await Store(whole).SaveAsync(State(200), 200);
        var steps = whole.Steps - before;
        Assert.InRange(steps, 6, 100);

        var (found100, found200) = (0, 0);
        for (var step = 0; step <= steps; step++)
        {
            var files = new MemoryFileSystem();
            await Store(files, keep: 1).SaveAsync(State(100), 100);
            files.StepsUntilCrash = step;
            if (step < steps) await Assert.ThrowsAsync<CrashException>(() => Store(files, keep: 2).SaveAsync(State(200), 200));
            else await Store(files, keep: 2).SaveAsync(State(200), 200);
            files.Restart();

            var loaded = Store(files).LoadLatest();
            Assert.Equal((float)loaded.Frames, loaded.Checkpoint.Tensor("parameters").Floats[0]);
            if (loaded.Frames == 200) found200++;
            else found100++;

            await Store(files).SaveAsync(State(300), 300);
            Assert.Equal(300, Store(files).LoadLatest().Frames);
            Assert.DoesNotContain(files.List(Folder), name => name.EndsWith(".tmp", StringComparison.Ordinal));
        }
        Assert.True(found100 > 0 && found200 > 0);
    }

    [Fact]
    public async Task A_crash_while_old_files_are_removed_leaves_the_new_one()
    {
        for (var step = 0; step < 30; step++)
        {
            var files = new MemoryFileSystem();
            foreach (var frames in (int[])[100, 200, 300]) await Store(files).SaveAsync(State(frames), frames);
            files.StepsUntilCrash = step;
            try
            {
                await Store(files, keep: 1).SaveAsync(State(400), 400);
            }
            catch (CrashException)
            {
                // What the loop is about.
            }
            files.Restart();
            Assert.InRange(Store(files).LoadLatest().Frames, 300, 400);
        }
    }

    [Fact]
    public async Task The_real_file_system_keeps_checkpoints_too()
    {
        using var directory = new TemporaryDirectory();
        var folder = Path.Combine(directory.Path, "checkpoints");
        var store = new CheckpointStore(PhysicalFileSystem.Instance, folder, 2, "seed: 3\n", Logger.None);
        foreach (var frames in (int[])[1, 2, 3]) await store.SaveAsync(State(frames), frames);
        Assert.Equal(3, store.LoadLatest().Frames);
        Assert.Equal(2, Directory.GetFiles(folder).Length);
    }

    private static Checkpoint State(float value) => new()
    {
        Metadata = new Dictionary<string, string> { ["note"] = "kept" },
        Tensors = [new NamedTensor("parameters", [2], [value, 0.5f])],
    };

    private static string PathOf(int frames) => Path.Combine(Folder, $"checkpoint-{frames:D15}.safetensors");

    private static byte[] Newer()
    {
        using var stream = new MemoryStream();
        Safetensors.Write(stream, State(1));
        var bytes = stream.ToArray();
        var at = bytes.AsSpan().IndexOf("\"formatVersion\":\"1\""u8) + "\"formatVersion\":\"".Length;
        bytes[at] = (byte)'2';
        return bytes;
    }

    private CheckpointStore Store(int keep = 3) => Store(_files, keep, new LoggerConfiguration().WriteTo.Sink(_log).CreateLogger());

    private static CheckpointStore Store(MemoryFileSystem files, int keep = 3, ILogger? logger = null) =>
        new(files, Folder, keep, "seed: 3\n", logger ?? Logger.None);

    private IEnumerable<int> Frames() => _files.List(Folder).Select(name => int.Parse(name.Split('-', '.')[1]));

    private sealed class LogLines : ILogEventSink
    {
        public List<string> Lines { get; } = [];

        public void Emit(LogEvent logEvent)
        {
            if (logEvent.Level >= LogEventLevel.Warning) Lines.Add(logEvent.RenderMessage());
        }
    }
}

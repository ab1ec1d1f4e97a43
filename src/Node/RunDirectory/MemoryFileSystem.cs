namespace Rl.Distributed.Node.RunDirectory;

/// <summary>The machine stopped.</summary>
internal sealed class CrashException : Exception;

/// <summary>A file system in memory that keeps apart what programs see and what is on the disk, and can crash at any step.</summary>
internal sealed class MemoryFileSystem : IFileSystem
{
    /// <summary>One file: what was written, and how much of it is certainly on the disk.</summary>
    private sealed class Entry
    {
        public MemoryStream Content { get; } = new();

        public byte[] Durable { get; set; } = [];
    }

    private Dictionary<string, Entry> _names = [];
    private Dictionary<string, Entry> _durableNames = [];

    /// <summary>Steps until the crash; below 0 there is none.</summary>
    public int StepsUntilCrash { get; set; } = -1;

    public int Steps { get; private set; }

    /// <summary>What a restarted machine finds: names that were synced; of content that was not, half, the worst a disk does.</summary>
    public void Restart()
    {
        StepsUntilCrash = -1;
        _names = new Dictionary<string, Entry>(_durableNames);
        foreach (var node in _names.Values.Distinct())
        {
            var written = node.Content.ToArray();
            if (written.AsSpan().SequenceEqual(node.Durable)) continue;
            Write(node, written[..(written.Length / 2)]);
        }
    }

    public void Write(string path, byte[] content)
    {
        var node = new Entry();
        Write(node, content);
        _names[path] = _durableNames[path] = node;
    }

    public byte[] Read(string path) => _names[path].Content.ToArray();

    public void CreateDirectory(string path) => Step();

    public IReadOnlyList<string> List(string directory) =>
        [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public Stream OpenRead(string path) => _names.TryGetValue(path, out var node)
        ? new MemoryStream(node.Content.ToArray(), writable: false)
        : throw new FileNotFoundException(path);

    public Stream Create(string path)
    {
        Step();
        var node = new Entry();
        _names[path] = node;
        // The name may reach the disk before the content does: the worst case.
        _durableNames[path] = node;
        return new OpenFile(node, this);
    }

    public void Sync(Stream file)
    {
        Step();
        ((OpenFile)file).Node.Durable = ((OpenFile)file).Node.Content.ToArray();
    }

    public void Rename(string from, string to)
    {
        Step();
        _names[to] = _names[from];
        _names.Remove(from);
    }

    public void SyncDirectory(string directory)
    {
        Step();
        _durableNames = new Dictionary<string, Entry>(_names);
    }

    public void Delete(string path)
    {
        Step();
        _names.Remove(path);
    }

    private static void Write(Entry node, byte[] content)
    {
        node.Content.SetLength(0);
        node.Content.Write(content);
        node.Durable = content;
    }

    private void Step()
    {
        if (StepsUntilCrash == 0) throw new CrashException();
        StepsUntilCrash--;
        Steps++;
    }

    private sealed class OpenFile(Entry node, MemoryFileSystem owner) : MemoryStream
    {
        public Entry Node => node;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            owner.Step();
            node.Content.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}

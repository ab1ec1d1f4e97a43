namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>The sending side of a path table: each path has one slot that it may be in, and takes it from whom it finds there.</summary>
/// <remarks>Two states are known: the one behind the last message queued, and the one behind the last message that left.</remarks>
internal sealed class PathTable
{
    private readonly string[] _queued = new string[Frame.Slots], _left = new string[Frame.Slots];
    private int _lastRecipient, _lastSender;

    /// <summary>The slot of a recipient; appends a definition to the chunk where the slot holds another path.</summary>
    public int Recipient(string path, Chunk chunk) => Slot(path, ref _lastRecipient, 0, chunk);

    /// <summary>The slot of a sender: never a recipient's, so that the two of one message cannot meet in one.</summary>
    public int Sender(string path, Chunk chunk) => Slot(path, ref _lastSender, Frame.Slots / 2, chunk);

    /// <summary>The chunk leaves.</summary>
    public void Leave(Chunk chunk)
    {
        foreach (var (slot, path) in chunk.Definitions) _left[slot] = path;
    }

    /// <summary>Nothing is queued, and the next connection knows no path.</summary>
    public void Clear()
    {
        Array.Clear(_queued);
        Array.Clear(_left);
    }

    /// <summary>Tells a new connection what the old one knew: what is queued relies on it.</summary>
    public void Restate(Func<int, Chunk> chunkFor)
    {
        for (var slot = 0; slot < Frame.Slots; slot++)
        {
            if (_left[slot] is { } path) Define(slot, path, chunkFor((3 * path.Length) + 16));
        }
    }

    private int Slot(string path, ref int last, int first, Chunk chunk)
    {
        if (ReferenceEquals(_queued[last], path)) return last;
        last = first + (int)((uint)path.GetHashCode() % (Frame.Slots / 2));
        if (_queued[last] != path)
        {
            Define(last, path, chunk);
            chunk.Definitions.Add((last, path));
        }
        _queued[last] = path;
        return last;
    }

    private static void Define(int slot, string path, Chunk chunk)
    {
        var to = chunk.Free;
        var at = Frame.HeaderBytes;
        at += Frame.WriteVarint(to[at..], (uint)slot);
        at += Frame.WriteString(to[at..], path);
        Frame.WriteHeader(to, FrameKind.Path, at - Frame.HeaderBytes);
        chunk.Commit(at);
    }
}

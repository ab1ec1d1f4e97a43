namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What waits for one peer: system messages, small messages in chunks, and lines of bulk messages, one a pair.</summary>
/// <remarks>Not thread-safe. System messages leave first; then each batch has a chunk and a fragment of a bulk message.</remarks>
internal sealed class OutQueue
{
    private readonly record struct PairKey(string Recipient, string Sender, bool IsSystem);

    private sealed class Pair(PairKey key)
    {
        public PairKey Key => key;

        public Queue<BulkItem> Items { get; } = new();
    }

    /// <summary>Kept for later: a window of some MiB goes round without garbage.</summary>
    private const int SpareChunks = 64;

    private readonly Queue<Chunk> _system = new(), _small = new();
    private readonly Stack<Chunk> _spare = new();
    private readonly Dictionary<PairKey, Pair> _pairs = [];
    private readonly Pair[] _running = new Pair[Frame.Streams];
    private readonly Queue<Pair> _waiting = new();
    private PathTable _paths;
    private Chunk _lastSystem, _lastSmall, _begun;
    private long _numbered, _left;
    private int _turn;

    /// <summary>Bytes that wait.</summary>
    public long Bytes { get; private set; }

    public bool HasWork => _system.Count > 0 || _small.Count > 0 || _begun is not null || _pairs.Count > 0;

    public void Add(in Outbound message, int id, MessageEncoder body)
    {
        var length = (int)body.Length;
        if (length > Frame.BulkBytes || _pairs.Count > 0)
        {
            var key = new PairKey(message.Recipient, message.Sender, message.IsSystem);
            if (_pairs.TryGetValue(key, out var pair) || length > Frame.BulkBytes)
            {
                var (pieces, rented) = body.Detach();
                AddItem(pair ?? Open(key), new BulkItem(message, id, length, pieces, rented, _numbered));
                return;
            }
        }
        var size = 40 + length + (3 * (message.Recipient.Length + (message.Sender?.Length ?? 0)));
        var chunk = message.IsSystem
            ? ChunkFor(_system, ref _lastSystem, size, isNumbered: false)
            : ChunkFor(_small, ref _lastSmall, size);
        if (message.IsSystem) AddSystem(message, id, body, chunk);
        else AddSmall(message, id, body, chunk);
        chunk.Messages.Add(message);
    }

    /// <summary>Takes the only chunk, if that is all there is.</summary>
    public bool TryTakeOnly(out Chunk chunk)
    {
        chunk = null;
        if (_small.Count != 1 || _system.Count > 0 || _begun is not null || _pairs.Count > 0) return false;
        chunk = TakeSmall();
        return true;
    }

    /// <summary>Takes back a chunk of <see cref="TryTakeOnly"/> that did not leave as a whole.</summary>
    public void PutBack(Chunk chunk)
    {
        _begun = chunk;
        Bytes += chunk.Unsent.Length;
    }

    /// <summary>What is to leave next: what is urgent, then small messages, then bulk.</summary>
    /// <param name="batch">Gets it.</param>
    /// <param name="budget">Bytes of bulk, about.</param>
    public void Take(Batch batch, int budget)
    {
        if (_begun is not null)
        {
            batch.Add(_begun);
            Bytes -= _begun.Unsent.Length;
            _begun = null;
        }
        if (_system.Count > 0)
        {
            var chunk = _system.Dequeue();
            if (chunk == _lastSystem) _lastSystem = null;
            Bytes -= chunk.Length;
            batch.Add(chunk);
        }
        if (_small.Count > 0) batch.Add(TakeSmall());
        while (budget > 0 && batch.HasRoom && TryTurn(out var stream)) TakeItem(batch, stream, ref budget);
    }

    /// <summary>The batch has left, or is lost.</summary>
    public void Recycle(Batch batch)
    {
        foreach (var chunk in batch.Chunks) Recycle(chunk);
        foreach (var item in batch.Ended) item.Release();
        batch.Clear();
    }

    public void Recycle(Chunk chunk)
    {
        if (_spare.Count >= SpareChunks) return;
        chunk.Clear();
        _spare.Push(chunk);
    }

    /// <summary>The connection is gone: bulk messages start again, but not for ever. Returns how many messages are lost that may have
    /// arrived, and in the list those that have not.</summary>
    public int Rewind(List<Outbound> lost)
    {
        var doubtful = _begun is { Start: > 0 } ? _begun.Messages.Count : 0;
        if (_begun is { Start: 0 }) lost.AddRange(_begun.Messages);
        Bytes -= _begun?.Unsent.Length ?? 0;
        _begun = null;
        for (var stream = 0; stream < Frame.Streams; stream++)
        {
            if (_running[stream] is not { } pair) continue;
            var item = pair.Items.Peek();
            var isHopeless = item.IsHopeless;
            Bytes += item.Rewind();
            if (!isHopeless) continue;
            Bytes -= item.Length;
            lost.Add(item.Message);
            item.Release();
            EndItem(stream);
        }
        return doubtful;
    }

    /// <summary>A new connection: it knows no paths.</summary>
    public void Begin()
    {
        if (_small.Count == 0)
        {
            _paths?.Clear();
            return;
        }
        var queued = _small.ToArray();
        _small.Clear();
        var last = _lastSmall;
        _lastSmall = null;
        _paths.Restate(size => ChunkFor(_small, ref _lastSmall, size, isNumbered: false));
        Bytes += _small.Sum(static chunk => chunk.Length);
        foreach (var chunk in queued) _small.Enqueue(chunk);
        _lastSmall = last;
    }

    /// <summary>Empties the queue. Returns as <see cref="Rewind"/> does.</summary>
    public int Drop(List<Outbound> lost)
    {
        var doubtful = Rewind(lost);
        foreach (var chunk in _system.Concat(_small)) lost.AddRange(chunk.Messages);
        foreach (var item in _pairs.Values.SelectMany(static pair => pair.Items))
        {
            lost.Add(item.Message);
            item.Release();
        }
        _system.Clear();
        _small.Clear();
        (_lastSystem, _lastSmall) = (null, null);
        _pairs.Clear();
        _waiting.Clear();
        Array.Clear(_running);
        _paths?.Clear();
        Bytes = 0;
        return doubtful;
    }

    private void AddSystem(in Outbound message, int id, MessageEncoder body, Chunk chunk)
    {
        var to = chunk.Free;
        var at = Frame.HeaderBytes;
        at += Frame.WriteString(to[at..], message.Recipient);
        at += Frame.WriteString(to[at..], message.Sender);
        AddBody(chunk, FrameKind.Inline, at, id, body);
    }

    private void AddSmall(in Outbound message, int id, MessageEncoder body, Chunk chunk)
    {
        _paths ??= new PathTable();
        var before = chunk.Length;
        var recipient = _paths.Recipient(message.Recipient, chunk);
        var sender = message.Sender is null ? 0 : _paths.Sender(message.Sender, chunk) + 1;
        Bytes += chunk.Length - before;
        var to = chunk.Free;
        var at = Frame.HeaderBytes;
        at += Frame.WriteVarint(to[at..], (uint)recipient);
        at += Frame.WriteVarint(to[at..], (uint)sender);
        AddBody(chunk, FrameKind.Message, at, id, body);
    }

    private void AddBody(Chunk chunk, FrameKind kind, int at, int id, MessageEncoder body)
    {
        var to = chunk.Free;
        at += Frame.WriteVarint(to[at..], (uint)id);
        body.CopyTo(to[at..]);
        at += (int)body.Length;
        Frame.WriteHeader(to, kind, at - Frame.HeaderBytes);
        chunk.Commit(at);
        Bytes += at;
    }

    private Chunk ChunkFor(Queue<Chunk> chunks, ref Chunk last, int size, bool isNumbered = true)
    {
        if (last is not null && last.Free.Length >= size) return last;
        if (!_spare.TryPop(out last)) last = new Chunk();
        last.Number = isNumbered ? ++_numbered : 0;
        chunks.Enqueue(last);
        return last;
    }

    private Chunk TakeSmall()
    {
        var chunk = _small.Dequeue();
        if (chunk == _lastSmall) _lastSmall = null;
        _left = Math.Max(_left, chunk.Number);
        _paths.Leave(chunk);
        Bytes -= chunk.Length;
        return chunk;
    }

    private void AddItem(Pair pair, BulkItem item)
    {
        pair.Items.Enqueue(item);
        Bytes += item.Length;
    }

    private Pair Open(PairKey key)
    {
        var pair = new Pair(key);
        _pairs.Add(key, pair);
        Line(pair);
        return pair;
    }

    private void Line(Pair pair)
    {
        var stream = Array.IndexOf(_running, null);
        if (stream < 0) _waiting.Enqueue(pair);
        else _running[stream] = pair;
    }

    /// <summary>The next stream whose message may go on: all small messages queued before it have left.</summary>
    private bool TryTurn(out int stream)
    {
        for (var i = 0; i < Frame.Streams; i++)
        {
            stream = _turn = (_turn + 1) % Frame.Streams;
            if (_running[stream] is { } pair && (pair.Items.Peek().After <= _left || _small.Count == 0)) return true;
        }
        stream = -1;
        return false;
    }

    private void TakeItem(Batch batch, int stream, ref int budget)
    {
        var pair = _running[stream];
        var item = pair.Items.Peek();
        var before = budget;
        var hasEnded = item.Take(batch, stream, ref budget);
        Bytes -= before - budget;
        if (!hasEnded) return;
        batch.Ended.Add(item);
        EndItem(stream);
    }

    private void EndItem(int stream)
    {
        var pair = _running[stream];
        pair.Items.Dequeue();
        _running[stream] = null;
        if (pair.Items.Count > 0) _waiting.Enqueue(pair);
        else _pairs.Remove(pair.Key);
        if (_waiting.TryDequeue(out var next)) _running[stream] = next;
    }
}

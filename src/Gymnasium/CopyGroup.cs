using System.Text.Json.Nodes;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium;

/// <summary>The copies of an environment that live in one Python process, and the memory that is shared with it.</summary>
/// <remarks>Begin, Make, Map and Reset come first, in this order. Not thread-safe. Stepping allocates nothing.</remarks>
internal sealed class CopyGroup(GymnasiumRequest request, GymnasiumFacts facts, int first, int count) : IDisposable
{
    private const int Alignment = 64;

    private PythonProcess? _process;
    private bool _isMade;
    private SharedMemory? _memory;
    private string? _folder;
    private int _actions, _rewards, _terminated, _truncated, _lives, _observations0, _observations1, _finals;

    /// <summary>Of its copies, in the batch.</summary>
    public int First => first;

    public int Count => count;

    public int ProcessId => _process!.Id;

    /// <summary>What went wrong in the present step; null where nothing did.</summary>
    public PythonException? Failure { get; private set; }

    /// <summary>The copies that failed in the present step, with message and traceback; null where none did.</summary>
    public JsonArray? Failed { get; private set; }

    public Span<float> Rewards => _memory!.Items<float>(_rewards, count);

    public Span<bool> Terminated => _memory!.Items<bool>(_terminated, count);

    public Span<bool> Truncated => _memory!.Items<bool>(_truncated, count);

    public Span<int> Lives => _memory!.Items<int>(_lives, count);

    public Span<byte> Observation(int slot, int copy) =>
        _memory!.Items<byte>((slot == 0 ? _observations0 : _observations1) + copy * facts.WireBytes, facts.WireBytes);

    public Span<byte> Final(int copy) => _memory!.Items<byte>(_finals + copy * facts.WireBytes, facts.WireBytes);

    /// <summary>Takes a process, and asks for the first copy unless it has been made already.</summary>
    public void Begin(PythonProcess process, bool isMade) => (_process, _isMade) = (process, isMade);

    public void SendMake()
    {
        if (_isMade) return;
        _process!.Connect();
        _process.SendRequest(request.Make);
    }

    /// <summary>The first copy must be what it was when it was asked for the first time.</summary>
    public void ReceiveMake()
    {
        if (_isMade || GymnasiumFacts.Read(request.Name, request.IsAtari, _process!.ReceiveAnswer()).Equals(facts)) return;
        throw new PythonException("its spaces are not those that it had before.", "An id must always make the same environment.", "");
    }

    /// <summary>Makes the memory and asks for the other copies.</summary>
    public void SendMap(ReadOnlySpan<uint> seeds, bool render)
    {
        var bytes = LayOut();
        string path;
        try
        {
            _folder = PrivateFolder.Create();
            path = Path.Combine(_folder, "memory");
            _memory = new SharedMemory(path, bytes);
        }
        catch (Exception e) when (PythonException.IsOfTheSystem(e))
        {
            throw PythonException.NoRoom($"its {bytes / 1e6:0.#} MB of shared memory", e);
        }
        _process!.SendRequest(new JsonObject
        {
            ["do"] = "map",
            ["path"] = path,
            ["bytes"] = bytes,
            ["count"] = count,
            ["seeds"] = new JsonArray([.. seeds.ToArray().Select(seed => (JsonNode)JsonValue.Create(seed))]),
            ["render"] = render,
            ["offsets"] = new JsonObject
            {
                ["actions"] = _actions, ["rewards"] = _rewards, ["lives"] = _lives,
                ["terminated"] = _terminated, ["truncated"] = _truncated,
                ["observations0"] = _observations0, ["observations1"] = _observations1, ["finals"] = _finals,
            },
            ["dtype"] = facts.Dtype,
            ["shape"] = Array(facts.WireShape),
            ["actionType"] = facts.IsDiscrete ? "int64" : "float32",
            ["actionShape"] = Array(facts.ActionShape),
            ["actionDtype"] = facts.IsDiscrete ? null : facts.ActionDtype ?? "float32",
        });
    }

    public void ReceiveMap()
    {
        _process!.ReceiveAnswer();
        DeleteFolder();
    }

    public void SendReset(int slot) => _process!.SendRequest(new JsonObject { ["do"] = "reset", ["slot"] = slot });

    public void ReceiveReset() => _process!.ReceiveAnswer();

    public void WriteActions(ReadOnlySpan<int> actions)
    {
        var to = _memory!.Items<long>(_actions, count);
        var start = facts.ActionStart;
        for (var i = 0; i < count; i++) to[i] = start + actions[first + i];
    }

    /// <summary>Actions outside of their bounds are moved to these.</summary>
    public void WriteActions(ReadOnlySpan<float> actions, ContinuousActionSpec spec)
    {
        var dimensions = spec.Dimensions;
        var to = _memory!.Items<float>(_actions, count * dimensions);
        actions = actions.Slice(first * dimensions, to.Length);
        for (var i = 0; i < to.Length; i++)
        {
            var dimension = i % dimensions;
            to[i] = Math.Clamp(actions[i], spec.Low[dimension], spec.High[dimension]);
        }
    }

    /// <summary>Tells the process to step; a failure is kept.</summary>
    public void SendStep(int slot)
    {
        (Failure, Failed) = (null, null);
        try
        {
            _process!.SendStep(slot);
        }
        catch (PythonException e)
        {
            Failure = e;
        }
    }

    /// <summary>Waits for the end of the step; a failure is kept.</summary>
    public void ReceiveStep()
    {
        if (Failure is not null) return;
        try
        {
            Failed = _process!.ReceiveStep();
        }
        catch (PythonException e)
        {
            Failure = e;
        }
    }

    /// <summary>Begins an episode in a copy that failed.</summary>
    public void Renew(int slot, int copy, uint seed) =>
        _process!.Ask(new JsonObject { ["do"] = "renew", ["copy"] = copy, ["slot"] = slot, ["seed"] = seed });

    public JsonObject Render(int copy, int columns, int rows) =>
        _process!.Ask(new JsonObject { ["do"] = "render", ["copy"] = copy, ["columns"] = columns, ["rows"] = rows });

    /// <summary>Lets the process end by itself; Dispose waits for it.</summary>
    public void Hangup() => _process?.Hangup();

    /// <summary>Ends the process at once.</summary>
    public void Kill()
    {
        _process?.Kill();
        Dispose();
    }

    public void Dispose()
    {
        _process?.Dispose();
        _memory?.Dispose();
        DeleteFolder();
        (_process, _memory) = (null, null);
    }

    // Once both sides have opened the memory, nobody needs its name.
    private void DeleteFolder()
    {
        if (_folder is not null) PrivateFolder.Delete(_folder);
        _folder = null;
    }

    private static JsonArray Array(IEnumerable<int> sizes) => [.. sizes.Select(size => (JsonNode)JsonValue.Create(size))];

    private int LayOut()
    {
        var end = 0L;
        int Take(long bytes)
        {
            var start = end;
            end = (end + bytes + Alignment - 1) / Alignment * Alignment;
            if (end <= int.MaxValue) return (int)start;
            throw new PythonException(
                $"its {count} copies need more than 2 GB of shared memory.", "Raise environment.subprocesses, or have fewer copies in a worker.", "");
        }
        (_actions, _rewards) = (Take((long)count * facts.ActionBytes), Take((long)count * sizeof(float)));
        (_terminated, _truncated, _lives) = (Take(count), Take(count), Take((long)count * sizeof(int)));
        var observations = (long)count * facts.WireBytes;
        (_observations0, _observations1, _finals) = (Take(observations), Take(observations), Take(observations));
        return (int)end;
    }
}

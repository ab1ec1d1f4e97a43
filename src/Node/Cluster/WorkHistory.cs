using Rl.Distributed.Actors;

namespace Rl.Distributed.Node.Clustering;

/// <summary>What a node's workers know of their unrolls: outlives the actor system that they ran in.</summary>
/// <remarks>A learner that went back to a checkpoint learns from it what was rolled back; it may be lost before it wrote that down, so the
/// next one is told again. Thread-safe.</remarks>
internal sealed class WorkHistory
{
    // An offer holds all of them: some 20 bytes each.
    private const int MaxReports = 1024;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<(int Incarnation, int Worker), WorkerReport> _reports = [];
    private string _run = "";
    private volatile int _workers;

    /// <summary>The run that the reports are of; empty before the first.</summary>
    public string Run
    {
        get
        {
            lock (_lock) return _run;
        }
    }

    /// <summary>Workers that work now.</summary>
    public int Workers
    {
        get => _workers;
        set => _workers = value;
    }

    /// <summary>New work begins; what was reported of another run is of no use to this one.</summary>
    public void Begin(string run)
    {
        lock (_lock)
        {
            if (run != _run) _reports.Clear();
            _run = run;
        }
    }

    /// <summary>Takes the place of what the same incarnation of a worker said before; the oldest ones are forgotten when it gets too much.
    /// One of another run comes too late to matter.</summary>
    public void Add(string run, WorkerReport report)
    {
        lock (_lock)
        {
            if (run != _run) return;
            _reports[(report.Incarnation, report.Worker)] = report;
            if (_reports.Count > MaxReports) _reports.Remove(_reports.First().Key);
        }
    }

    public WorkerReport[] Reports()
    {
        lock (_lock) return [.. _reports.Values];
    }
}

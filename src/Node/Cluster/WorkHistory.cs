using Rl.Distributed.Actors;

namespace Rl.Distributed.Node.Clustering;

/// <summary>What a node's workers know of their unrolls: outlives the actor system that they ran in.</summary>
/// <remarks>A learner that went back to a checkpoint learns from it what was rolled back. Thread-safe.</remarks>
internal sealed class WorkHistory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Worker, int Incarnation), WorkerReport> _reports = [];
    private string _run = "";

    /// <summary>The run that the reports are of; empty before the first.</summary>
    public string Run
    {
        get
        {
            lock (_lock) return _run;
        }
    }

    /// <summary>New work begins; what was reported of the work before has been taken up.</summary>
    public void Begin(string run)
    {
        lock (_lock)
        {
            _reports.Clear();
            _run = run;
        }
    }

    /// <summary>A worker's report; one of another run comes too late to matter.</summary>
    public void Add(string run, WorkerReport report)
    {
        lock (_lock)
            if (run == _run) _reports[(report.Worker, report.Incarnation)] = report;
    }

    public WorkerReport[] Reports()
    {
        lock (_lock) return [.. _reports.OrderBy(entry => entry.Key).Select(entry => entry.Value)];
    }
}

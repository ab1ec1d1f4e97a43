using Rl.Distributed.Actors;

namespace Rl.Distributed.Node.Training;

/// <summary>Notices that nothing is learned any more: an environment that never returns keeps its worker, and nobody else would say so.</summary>
internal sealed class StallWatch
{
    /// <summary>How often <see cref="Check"/> is to be called.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private const int Patience = 3;

    private readonly HashSet<int> _heard = [];
    private bool _hasLearned;
    private int _idle;

    /// <summary>The learner has made an update.</summary>
    public void Learned() => _hasLearned = true;

    /// <summary>A worker has spoken; they do so every second, between steps.</summary>
    public void Heard(WorkerReport report) => _heard.Add(report.Worker);

    /// <param name="workers">How many there are now.</param>
    /// <returns>A warning; null where there is none, or where it was given before.</returns>
    public string? Check(int workers)
    {
        _idle = _hasLearned || workers == 0 ? 0 : _idle + 1;
        var silent = Math.Max(0, workers - _heard.Count);
        _hasLearned = false;
        _heard.Clear();
        if (_idle != Patience) return null;
        var waited = $"Nothing was learned for {Patience * Interval.TotalSeconds:0} s";
        return silent == 0
            ? $"{waited}: {workers} workers are at it, but no batch is full."
            : $"{waited}, and {silent} of {workers} workers say nothing: an environment that does not return from Step or Reset keeps its worker. "
                + $"`dotnet-stack report -p {Environment.ProcessId}` shows where this process is.";
    }
}

using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Engines;

/// <summary>Watches the messages of a run over several nodes and holds it to what it promises; docs/simulation.md lists the
/// invariants. Each way to learn has its own, which are based on these.</summary>
/// <remarks>Keeps books of its own, by the identity of each unroll or gradient, and compares. A plain object for one thread.</remarks>
/// <param name="violated">Told what is wrong, each time.</param>
internal abstract class RunInvariants(Action<string> violated)
{
    private readonly List<UnrollId> _history = [];
    private readonly HashSet<UnrollId> _consumed = [], _rolledBack = [];
    private readonly Dictionary<(int Worker, int Incarnation), WorkerBooks> _workers = [];
    private readonly Dictionary<string, Host> _hosts = [];
    private readonly WeightBooks _weights = new(violated), _targets = new(violated);

    /// <summary>What is sent, in the plural.</summary>
    public abstract string Things { get; }

    /// <summary>The name of the run's actor that they are sent to.</summary>
    public abstract string Recipient { get; }

    /// <summary>Frames that the present weights have learned from.</summary>
    public abstract long Frames { get; }

    /// <summary>Updates that made them; -1 before a run begins.</summary>
    public abstract long Updates { get; }

    /// <summary>The weights as they are now.</summary>
    public abstract ReadOnlySpan<float> Parameters { get; }

    /// <summary>What came from workers that the present weights have learned from.</summary>
    public long Consumed => _history.Count;

    /// <summary>What came from workers whose effect went with a learner that was lost.</summary>
    public long RolledBack => _rolledBack.Count;

    /// <summary>What else is to be said of them, for people.</summary>
    public virtual string Rest => "";

    /// <summary>Numbers that are none must be refused, and workers that fail may be made anew.</summary>
    public virtual bool HasMoreFaults => false;

    /// <summary>The last word of each incarnation of a worker.</summary>
    public IEnumerable<WorkerReport> Reports => _workers.Values.Select(books => books.Report).OfType<WorkerReport>();

    protected Action<string> Violated => violated;

    /// <summary>The epoch that was begun last.</summary>
    protected int Epoch { get; private set; } = -1;

    /// <summary>Workers in the leading process.</summary>
    protected int LocalWorkers { get; private set; }

    /// <summary>The newest version that was published.</summary>
    protected ParameterVersion Published => _weights.Newest;

    /// <summary>What the run's files tell was consumed, rolled back ones included.</summary>
    protected long Known { get; private set; }

    /// <summary>What the learner counts as rolled back.</summary>
    protected abstract long ReportedRolledBack { get; }

    /// <summary>A learner begins, from the beginning or from a checkpoint: the history is cut back to what it knows.</summary>
    /// <param name="plan">Its run.</param>
    /// <param name="known">What the run's files tell was consumed, rolled back included.</param>
    /// <param name="localWorkers">Workers in its own process.</param>
    public abstract void LeaderStarted(RunPlan plan, long known, int localWorkers);

    /// <summary>A process begins on a machine: what was known there is forgotten.</summary>
    public void ProcessStarted(string host) => _hosts.Remove(host);

    /// <summary>To be called after each step.</summary>
    public abstract void Check();

    /// <summary>A checkpoint is about to be written.</summary>
    public abstract void CheckpointSaved(Checkpoint checkpoint, long frames);

    /// <summary>The run is at its end.</summary>
    public abstract void Finished(LearnerReport report, long totalFrames);

    /// <summary>Some time after the run's end: what nodes that work for this learner know was consumed of theirs, it has or
    /// counts.</summary>
    public void Ended()
    {
        var ledger = CurrentLedger();
        var known = _hosts.Values.Where(host => host.Epoch == Epoch).SelectMany(host => host.Workers).Distinct()
            .Sum(id => Math.Max(0, _workers[id].Report!.Consumed - ledger.ConsumedOf(id.Worker, id.Incarnation)));
        if (known > ReportedRolledBack)
            violated($"Acknowledged means consumed or rolled back: {ReportedRolledBack} are counted, but nodes know of {known}.");
    }

    /// <summary>The worker that hears with this message that something of it was consumed; null: it is another message.</summary>
    public abstract int? WorkedWith(object message);

    /// <summary>Adds a copy of what a worker sends to a parcel that is to come a second time; true where the parcel is whole.</summary>
    public abstract bool Collect(object message, List<object> parcel);

    /// <summary>Writes NaN into what a worker sends, on its way; false where the message is something else.</summary>
    public virtual bool TryPoison(object message, int place) => false;

    /// <summary>A part of a parcel that comes a second time is about to be handled.</summary>
    public virtual void ObserveRepeated(object message)
    {
    }

    /// <summary>A message that an actor is about to handle.</summary>
    /// <param name="path">The actor.</param>
    /// <param name="message">The message.</param>
    /// <param name="host">Where the actor is a worker host: its machine.</param>
    public void Observe(ActorPath path, object message, string host = "")
    {
        switch (message)
        {
            case WorkAssigned work when host.Length > 0:
                HostOf(host).Epoch = work.Epoch;
                return;
            case WorkerReport report when host.Length > 0:
                HostOf(host).Workers.Add((report.Worker, report.Incarnation));
                OnReport(report);
                return;
            case WorkerReport report when path.Name == RunCoordinator.Name && report.Worker < LocalWorkers:
                OnReport(report);
                return;
            case PublishParameters publish when path.Name == RunCoordinator.TargetsName:
                _targets.Publish(publish.Snapshot, Epoch);
                OnTargetsPublished(publish.Snapshot);
                return;
            case PublishParameters publish:
                _weights.Publish(publish.Snapshot, Epoch);
                OnPublished(publish.Snapshot);
                return;
            case ParametersChunk chunk:
                BooksOfStream(path).Receive(path, chunk, Epoch);
                return;
            default:
                OnMessage(path, message);
                return;
        }
    }

    /// <summary>FNV-1a over words of eight bytes, the rest byte by byte.</summary>
    public static ulong Mix(ulong hash, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) hash = (hash ^ word) * 1099511628211;
        foreach (var last in bytes[(words.Length * sizeof(ulong))..]) hash = (hash ^ last) * 1099511628211;
        return hash;
    }

    public static ulong HashOf(ReadOnlySpan<float> values) => Mix(14695981039346656037, MemoryMarshal.AsBytes(values));

    /// <summary>What the learner has consumed, as it knows.</summary>
    protected abstract ConsumptionLedger CurrentLedger();

    /// <summary>A message that is not of every way to learn.</summary>
    protected abstract void OnMessage(ActorPath path, object message);

    protected virtual void OnPublished(ParameterSnapshot snapshot)
    {
    }

    protected virtual void OnTargetsPublished(ParameterSnapshot snapshot)
    {
    }

    /// <summary>Cuts the history back; false where it lacks what the learner knows.</summary>
    protected bool Begin(int epoch, ConsumptionLedger ledger, long known, int localWorkers)
    {
        (Known, LocalWorkers) = (known, localWorkers);
        if (epoch <= Epoch) violated($"Epochs grow: epoch {epoch} was begun after {Epoch}.");
        Epoch = epoch;
        _weights.Clear();
        _targets.Clear();
        if (ledger.Consumed > _history.Count)
        {
            violated($"A checkpoint has the past: it holds {ledger.Consumed} {Things}, {_history.Count} were consumed.");
            return false;
        }
        var kept = (int)ledger.Consumed;
        foreach (var id in _history.Skip(kept))
        {
            _consumed.Remove(id);
            _rolledBack.Add(id);
        }
        _history.RemoveRange(kept, _history.Count - kept);
        CheckRows(ledger);
        return true;
    }

    /// <summary>The learner has taken it up.</summary>
    protected void Consume(UnrollId id)
    {
        if (_rolledBack.Contains(id)) violated($"Consumed once: {id} was rolled back, and is consumed again.");
        if (_consumed.Add(id)) _history.Add(id);
        else violated($"Consumed once: {id} came to the learner twice.");
    }

    /// <summary>It was consumed, whether or not its effect lasted.</summary>
    protected bool WasConsumed(UnrollId id) => _consumed.Contains(id) || _rolledBack.Contains(id);

    /// <param name="consumed">What the learner counts as consumed.</param>
    /// <param name="rolledBack">What it counts as rolled back.</param>
    /// <param name="truth">What was rolled back.</param>
    protected void CheckRolledBack(long consumed, long rolledBack, long truth)
    {
        if (rolledBack > truth) violated($"Rolled back once: {rolledBack} reported as rolled back, {truth} were.");
        if (consumed + rolledBack < Known)
            violated($"Consumed means consumed or rolled back: {consumed} and {rolledBack}, but {Known} are known to have been consumed.");
    }

    protected void CheckRows(ConsumptionLedger ledger)
    {
        foreach (var worker in _history.GroupBy(id => (id.Worker, id.Incarnation)))
        {
            var consumed = ledger.ConsumedOf(worker.Key.Worker, worker.Key.Incarnation);
            if (consumed != worker.Count())
                violated($"A checkpoint has the past: {consumed} {Things} of {worker.Key} in its ledger, {worker.Count()} were consumed.");
        }
    }

    /// <summary>It was computed with weights of the run, no older than those of what its worker sent before.</summary>
    protected void CheckVersion(UnrollId id, ParameterVersion version)
    {
        var books = BooksOf(id.Worker, id.Incarnation);
        if (version < books.LastVersion)
            violated($"Versions grow: {id} is of version {version}, one before it of {books.LastVersion}.");
        if (version.Epoch != Epoch || version > Published)
            violated($"Versions are those of the run: {id} is of version {version}, {Published} is the newest.");
        books.LastVersion = version;
    }

    protected WorkerBooks BooksOf(int worker, int incarnation)
    {
        if (!_workers.TryGetValue((worker, incarnation), out var books)) _workers.Add((worker, incarnation), books = new WorkerBooks());
        return books;
    }

    private void OnReport(WorkerReport report)
    {
        var books = BooksOf(report.Worker, report.Incarnation);
        var inFlight = report.Sent - report.Consumed - report.Rejected - report.Lost;
        if (inFlight < 0 || inFlight > books.Credits)
            violated($"Bounded in flight: {report} has {inFlight} in flight with {books.Credits} credits.");
        if (report.Consumed > books.Acknowledged)
            violated($"Acknowledged means consumed: {report} says more than the {books.Acknowledged} that were acknowledged to it.");
        if (books.Report is { } before
            && (report.Sent < before.Sent || report.Consumed < before.Consumed || report.Rejected < before.Rejected))
            violated($"What is counted stays counted: {report} came after {before}.");
        books.Report = report;
    }

    private WeightBooks BooksOfStream(ActorPath path) =>
        path.Name.StartsWith(RunCoordinator.TargetsName, StringComparison.Ordinal) ? _targets : _weights;

    private Host HostOf(string name)
    {
        if (!_hosts.TryGetValue(name, out var host)) _hosts.Add(name, host = new Host());
        return host;
    }

    /// <summary>What a process that acts knows.</summary>
    private sealed class Host
    {
        public int Epoch { get; set; } = -1;

        public HashSet<(int Worker, int Incarnation)> Workers { get; } = [];
    }

    /// <summary>What is known of one incarnation of a worker.</summary>
    protected sealed class WorkerBooks
    {
        public int Credits { get; set; }

        public long Acknowledged { get; set; }

        public long LastSequence { get; set; } = -1;

        public ParameterVersion LastVersion { get; set; }

        public WorkerReport? Report { get; set; }
    }
}

using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Engines;

/// <summary>Watches the messages of a ring and holds it to what it promises; docs/simulation.md lists the invariants.</summary>
/// <remarks>Keeps books of its own, by the identity of each unroll, and compares. A plain object for one thread.</remarks>
/// <param name="shape">The shape of the run's unrolls.</param>
/// <param name="violated">Told what is wrong, each time.</param>
internal sealed class RingInvariants(UnrollShape shape, Action<string> violated)
{
    private const int RememberedVersions = 512;

    private readonly List<UnrollId> _history = [];
    private readonly HashSet<UnrollId> _consumed = [], _rolledBack = [];
    private readonly Queue<UnrollId[]> _delivered = new();
    private readonly List<(Unroll Unroll, ulong Content)> _lent = [];
    private readonly Dictionary<UnrollId, ulong> _contents = [];
    private readonly Dictionary<(int Worker, int Incarnation), Books> _workers = [];
    private readonly Dictionary<string, Host> _hosts = [];
    private readonly Dictionary<ParameterVersion, float[]> _weights = [];
    private readonly Queue<ParameterVersion> _versions = new();
    private ImpalaState? _state;
    private long _known;
    private int _epoch = -1, _localWorkers;
    private ParameterVersion _published;

    /// <summary>Unrolls that the present weights have learned from.</summary>
    public long Consumed => _history.Count;

    /// <summary>Unrolls whose effect went with a learner that was lost.</summary>
    public long RolledBack => _rolledBack.Count;

    /// <summary>The last word of each incarnation of a worker.</summary>
    public IEnumerable<WorkerReport> Reports => _workers.Values.Select(books => books.Report).OfType<WorkerReport>();

    /// <summary>A learner begins, from the beginning or from a checkpoint: the history is cut back to what it knows.</summary>
    /// <param name="state">What its learner knows.</param>
    /// <param name="known">Unrolls that the run's files tell were consumed, rolled back ones included.</param>
    /// <param name="localWorkers">Workers in its own process.</param>
    public void LeaderStarted(ImpalaState state, long known = 0, int localWorkers = 0)
    {
        (_known, _localWorkers) = (known, localWorkers);
        if (state.Epoch <= _epoch) violated($"Epochs grow: epoch {state.Epoch} was begun after {_epoch}.");
        (_state, _epoch, _published) = (state, state.Epoch, default);
        _delivered.Clear();
        _lent.Clear();
        _contents.Clear();
        _weights.Clear();
        _versions.Clear();
        if (state.Ledger.Consumed > _history.Count)
        {
            violated($"A checkpoint has the past: it holds {state.Ledger.Consumed} unrolls, {_history.Count} were consumed.");
            return;
        }
        var kept = (int)state.Ledger.Consumed;
        foreach (var id in _history.Skip(kept))
        {
            _consumed.Remove(id);
            _rolledBack.Add(id);
        }
        _history.RemoveRange(kept, _history.Count - kept);
        CheckRows(state.Ledger);
        CheckRolledBack(state.Ledger.Consumed, state.UnrollsRolledBack);
        Check();
    }

    /// <summary>A process begins on a machine: what was known there is forgotten.</summary>
    public void ProcessStarted(string host) => _hosts.Remove(host);

    /// <summary>To be called after each step: what the learner's ledger took up came from the ring, each unroll once.</summary>
    public void Check()
    {
        if (_state is null || (_state.Ledger.Consumed == _history.Count && _delivered.Count == 0)) return;
        while (_state.Ledger.Consumed > _history.Count && _delivered.TryDequeue(out var batch)) Consume(batch);
        if (_state.Ledger.Consumed != _history.Count)
        {
            violated($"Consumed once: the ledger has {_state.Ledger.Consumed} unrolls, "
                + $"{_history.Count} different ones were delivered and taken up.");
        }
        var waiting = (_history.Count * (long)shape.Frames) - _state.Learner.Frames;
        if (waiting < 0 || waiting > (long)_state.Learner.UnrollsPerUpdate * shape.Frames)
            violated($"Consumed once: the weights learned from {_state.Learner.Frames} frames, the ledger has {_history.Count} unrolls.");
    }

    /// <summary>A checkpoint's ledger and its weights tell the same.</summary>
    public void CheckpointSaved(ConsumptionLedger ledger, long frames)
    {
        if (ledger.Consumed * shape.Frames != frames)
        {
            violated($"A checkpoint is whole: {ledger.Consumed} unrolls of {shape.Frames} frames in its ledger, "
                + $"{frames} frames in its weights.");
        }
    }

    /// <summary>The run is at its end.</summary>
    public void Finished(LearnerReport report, long totalFrames)
    {
        Check();
        if (report.Frames < totalFrames) violated($"The run reaches its end: {report.Frames} of {totalFrames} frames.");
        if (report.UnrollsConsumed != _history.Count || report.Frames != _history.Count * (long)shape.Frames)
        {
            violated($"Consumed once: {report.UnrollsConsumed} unrolls, {report.Frames} frames reported; "
                + $"{_history.Count} different unrolls were delivered.");
        }
        if (report.UnrollsDuplicate > 0) violated($"Delivered once: {report.UnrollsDuplicate} unrolls came to the learner again.");
        CheckRolledBack(report.UnrollsConsumed, report.UnrollsRolledBack);
    }

    /// <summary>Some time after the run's end: what nodes that work for this learner know was consumed of theirs, it has or
    /// counts.</summary>
    public void Ended()
    {
        var known = _hosts.Values.Where(host => host.Epoch == _epoch).SelectMany(host => host.Workers).Distinct()
            .Sum(id => Math.Max(0, _workers[id].Report!.Consumed - _state!.Ledger.ConsumedOf(id.Worker, id.Incarnation)));
        if (known > _state!.UnrollsRolledBack)
            violated($"Acknowledged means consumed or rolled back: {_state.UnrollsRolledBack} are counted, but nodes know of {known}.");
    }

    /// <summary>A message that an actor is about to handle.</summary>
    /// <param name="path">The actor.</param>
    /// <param name="message">The message.</param>
    /// <param name="host">Where the actor is a worker host: its machine.</param>
    public void Observe(ActorPath path, object message, string host = "")
    {
        switch (message)
        {
            case InsertUnroll insert:
                OnInsert(insert.Unroll);
                return;
            case BatchReady ready:
                OnDelivered(ready.Unrolls);
                return;
            case BatchConsumed consumed:
                OnBatchConsumed(consumed.Unrolls);
                return;
            case WorkAssigned work when host.Length > 0:
                HostOf(host).Epoch = work.Epoch;
                return;
            case CreditsGranted granted:
                BooksOf(granted.Worker, granted.Incarnation).Credits = granted.Count;
                return;
            case CreditReturned returned:
                OnReturned(returned);
                return;
            case WorkerReport report when host.Length > 0:
                HostOf(host).Workers.Add((report.Worker, report.Incarnation));
                OnReport(report);
                return;
            case WorkerReport report when path.Name == RunCoordinator.Name && report.Worker < _localWorkers:
                OnReport(report);
                return;
            case PublishParameters publish:
                OnPublish(publish.Snapshot);
                return;
            case ParametersChunk chunk:
                OnChunk(path, chunk);
                return;
        }
    }

    private void Consume(UnrollId[] batch)
    {
        foreach (var id in batch)
        {
            if (_rolledBack.Contains(id)) violated($"Consumed once: {id} was rolled back, and is consumed again.");
            if (_consumed.Add(id)) _history.Add(id);
            else violated($"Consumed once: {id} came to the learner twice.");
        }
    }

    private void CheckRolledBack(long consumed, long rolledBack)
    {
        if (rolledBack > _rolledBack.Count) violated($"Rolled back once: {rolledBack} reported as rolled back, {_rolledBack.Count} were.");
        if (consumed + rolledBack < _known)
            violated($"Consumed means consumed or rolled back: {consumed} and {rolledBack}, but {_known} are known to have been consumed.");
    }

    private void CheckRows(ConsumptionLedger ledger)
    {
        foreach (var worker in _history.GroupBy(id => (id.Worker, id.Incarnation)))
        {
            var consumed = ledger.ConsumedOf(worker.Key.Worker, worker.Key.Incarnation);
            if (consumed != worker.Count())
                violated($"A checkpoint has the past: {consumed} unrolls of {worker.Key} in its ledger, {worker.Count()} were consumed.");
        }
    }

    private void OnInsert(Unroll unroll)
    {
        var books = BooksOf(unroll.Id.Worker, unroll.Id.Incarnation);
        if (unroll.Id.Sequence <= books.LastSequence)
            violated($"A worker's unrolls come in order: {unroll.Id} after number {books.LastSequence}.");
        if (unroll.Version < books.LastVersion)
            violated($"Versions grow: {unroll.Id} was acted by {unroll.Version}, one before it by {books.LastVersion}.");
        if (unroll.Version.Epoch != _epoch || unroll.Version > _published)
            violated($"Versions are those of the run: {unroll.Id} was acted by {unroll.Version}, {_published} is the newest.");
        (books.LastSequence, books.LastVersion) = (unroll.Id.Sequence, unroll.Version);
        _contents[unroll.Id] = ContentOf(unroll);
    }

    private void OnDelivered(Unroll[] unrolls)
    {
        foreach (var unroll in unrolls)
        {
            var content = ContentOf(unroll);
            if (_contents.Remove(unroll.Id, out var before) && content != before)
                violated($"An unroll does not change: {unroll.Id} reached the learner with other content than the replay actor.");
            _lent.Add((unroll, content));
        }
        _delivered.Enqueue(Array.ConvertAll(unrolls, unroll => unroll.Id));
    }

    private void OnBatchConsumed(UnrollId[] ids)
    {
        foreach (var id in ids)
        {
            var index = _lent.FindIndex(each => each.Unroll.Id == id);
            if (index < 0 || _lent[index].Content != ContentOf(_lent[index].Unroll))
                violated($"An unroll does not change: {id} did, while the learner had it.");
            else _lent.RemoveAt(index);
        }
    }

    private void OnReturned(CreditReturned returned)
    {
        var books = BooksOf(returned.Id.Worker, returned.Id.Incarnation);
        var wasConsumed = _consumed.Contains(returned.Id) || _rolledBack.Contains(returned.Id);
        if (returned.Outcome == UnrollOutcome.Consumed)
        {
            books.Acknowledged++;
            if (!wasConsumed) violated($"Acknowledged means consumed: {returned.Id} is in no ledger.");
        }
        else if (wasConsumed)
        {
            violated($"Refused means not consumed: {returned.Id} was refused as {returned.Outcome}, and consumed.");
        }
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

    private void OnPublish(ParameterSnapshot snapshot)
    {
        if (snapshot.Version.Epoch != _epoch || (_versions.Count > 0 && snapshot.Version <= _published))
            violated($"Versions grow: {snapshot.Version} was published after {_published}, in epoch {_epoch}.");
        _published = snapshot.Version;
        _weights[_published] = (float[])snapshot.Values.Clone();
        _versions.Enqueue(_published);
        if (_versions.Count > RememberedVersions) _weights.Remove(_versions.Dequeue());
    }

    private void OnChunk(ActorPath path, ParametersChunk chunk)
    {
        if (chunk.Version.Epoch == _epoch && chunk.Version > _published)
            violated($"Versions are those of the run: {path} hears of {chunk.Version}, {_published} is the newest.");
        if (_weights.TryGetValue(chunk.Version, out var weights)
            && !chunk.Values.Span.SequenceEqual(weights.AsSpan(chunk.Offset, chunk.Values.Length)))
            violated($"Weights arrive as they were published: {chunk.Version} differs at {path}.");
    }

    private Host HostOf(string name)
    {
        if (!_hosts.TryGetValue(name, out var host)) _hosts.Add(name, host = new Host());
        return host;
    }

    private Books BooksOf(int worker, int incarnation)
    {
        if (!_workers.TryGetValue((worker, incarnation), out var books)) _workers.Add((worker, incarnation), books = new Books());
        return books;
    }

    private static ulong ContentOf(Unroll unroll)
    {
        var hash = Mix(14695981039346656037, MemoryMarshal.AsBytes(unroll.Actions.AsSpan()));
        hash = Mix(hash, MemoryMarshal.AsBytes(unroll.Rewards.AsSpan()));
        hash = Mix(hash, MemoryMarshal.AsBytes(unroll.BehaviourLogits.AsSpan()));
        hash = Mix(hash, MemoryMarshal.AsBytes(unroll.Discounts.AsSpan()));
        return Mix(hash, unroll.Observations);
    }

    /// <summary>FNV-1a over words of eight bytes, the rest byte by byte.</summary>
    public static ulong Mix(ulong hash, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) hash = (hash ^ word) * 1099511628211;
        foreach (var last in bytes[(words.Length * sizeof(ulong))..]) hash = (hash ^ last) * 1099511628211;
        return hash;
    }

    /// <summary>What a process that acts knows.</summary>
    private sealed class Host
    {
        public int Epoch { get; set; } = -1;

        public HashSet<(int Worker, int Incarnation)> Workers { get; } = [];
    }

    /// <summary>What is known of one incarnation of a worker.</summary>
    private sealed class Books
    {
        public int Credits { get; set; }

        public long Acknowledged { get; set; }

        public long LastSequence { get; set; } = -1;

        public ParameterVersion LastVersion { get; set; }

        public WorkerReport? Report { get; set; }
    }
}

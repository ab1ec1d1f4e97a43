using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What the owner of a run knows of its shards: for each the newest checkpoint, which is what it would begin anew with, and how far it
/// is said to be.</summary>
/// <remarks>A plain object for one thread. The checkpoints together are the run's: they are kept in its shared parameters, and the ledger and the
/// counts of the first shard are the run's, so that each gradient counts once.</remarks>
public sealed class ShardBook
{
    private const string VersionsName = "shards";

    private readonly SharedParameters _shared;
    private readonly GradientLedger _gradients;
    private readonly Entry[] _shards;
    private int _runEpoch;

    /// <param name="shared">All parameters.</param>
    /// <param name="gradients">Their ledger.</param>
    /// <param name="shards">How many shards.</param>
    public ShardBook(SharedParameters shared, GradientLedger gradients, int shards)
    {
        (_shared, _gradients) = (shared, gradients);
        _shards = Array.ConvertAll(ShardRange.Split(shared.Count, shards), range => new Entry(range));
    }

    public int Count => _shards.Length;

    /// <summary>Frames of all learners: those that the first shard knows of.</summary>
    public long Frames => _shards[0].Frames;

    /// <summary>Gradients that were applied: those of the first shard.</summary>
    public long Updates => _shards[0].Updates;

    /// <summary>Gradients that the shard refused which refused most: one that is refused by all counts once.</summary>
    public long Rejected => _shards.Max(shard => shard.RejectedBefore + shard.Rejected);

    public ShardRange Range(int shard) => _shards[shard].Range;

    /// <summary>The updates of a shard, as far as they are known.</summary>
    public long UpdatesOf(int shard) => _shards[shard].Updates;

    /// <summary>The updates in its last checkpoint.</summary>
    public long SavedUpdatesOf(int shard) => _shards[shard].Saved.Updates;

    /// <summary>What the shard is to begin with.</summary>
    public Checkpoint StateOf(int shard) => _shards[shard].State;

    /// <summary>The run begins an epoch with what the shared parameters and the ledger hold.</summary>
    /// <param name="runEpoch">The epoch.</param>
    /// <param name="checkpoint">The run's, if it continues: shards have their own counts again if they are the same ones.</param>
    public void Begin(int runEpoch, Checkpoint? checkpoint)
    {
        _runEpoch = runEpoch;
        var rows = checkpoint?.TryTensor(VersionsName)?.Int64s ?? [];
        var isSame = rows.Length == 3 * Count && Enumerable.Range(0, Count).All(i => rows[3 * i] == _shards[i].Range.Start && rows[3 * i + 1] >= 0 && rows[3 * i + 2] >= 0);
        for (var i = 0; i < Count; i++)
        {
            var (frames, updates) = isSame ? (rows[3 * i + 1], rows[3 * i + 2]) : (_shared.Frames, _shared.Updates);
            var shard = _shards[i];
            shard.State = new Checkpoint { Tensors = _gradients.SaveRange(shard.Range, frames, updates) };
            shard.Saved = (frames, updates);
            (shard.Frames, shard.Updates, shard.Epoch) = (frames, updates, WorkerIdentity.FirstIncarnation(runEpoch) - 1);
        }
    }

    /// <summary>A shard is to begin; returns the epoch of its versions, which nobody had before.</summary>
    /// <exception cref="InvalidOperationException">The run's epoch has no more.</exception>
    public int BeginEpoch(int shard) => ++_shards[shard].Epoch < WorkerIdentity.FirstIncarnation(_runEpoch + 1)
        ? _shards[shard].Epoch
        : throw new InvalidOperationException($"Shard {shard} began anew too often: resume the run to go on.");

    /// <summary>The shard's present epoch.</summary>
    public int EpochOf(int shard) => _shards[shard].Epoch;

    /// <summary>Takes a checkpoint of a shard.</summary>
    /// <exception cref="CheckpointFormatException">It does not fit; then nothing has changed.</exception>
    public void Take(int shard, Checkpoint checkpoint)
    {
        var entry = _shards[shard];
        _gradients.LoadRange(entry.Range, checkpoint);
        entry.State = checkpoint;
        entry.Saved = SharedParameters.CountsOf(checkpoint);
        (entry.Frames, entry.Updates) = (Math.Max(entry.Frames, entry.Saved.Frames), Math.Max(entry.Updates, entry.Saved.Updates));
    }

    /// <summary>Takes a report; false where it is of an earlier epoch, or of one that was lost.</summary>
    public bool Take(ShardReport report)
    {
        if ((uint)report.Shard >= Count || _shards[report.Shard] is not { } entry) return false;
        if (report.Epoch != entry.Epoch || report.Epoch == entry.LostEpoch) return false;
        (entry.Frames, entry.Updates) = (Math.Max(entry.Frames, report.Frames), Math.Max(entry.Updates, report.Updates));
        entry.Rejected = report.Rejected;
        return true;
    }

    /// <summary>A shard is gone, and goes back to its last checkpoint. Returns the updates that are lost, as far as they are known.</summary>
    public long Lose(int shard)
    {
        var entry = _shards[shard];
        var lost = entry.Updates - entry.Saved.Updates;
        (entry.LostEpoch, entry.LostSince, entry.LostCount) = (entry.Epoch, entry.Saved.Updates, lost);
        (entry.Frames, entry.Updates) = entry.Saved;
        (entry.RejectedBefore, entry.Rejected) = (entry.RejectedBefore + entry.Rejected, 0);
        return lost;
    }

    /// <summary>Somebody knows how many updates a shard had applied in its last epoch but one. Returns how many more were lost than was known.</summary>
    public long See(ShardVersion version)
    {
        if ((uint)version.Shard >= Count || _shards[version.Shard] is not { } entry || version.Epoch != entry.LostEpoch) return 0;
        var more = Math.Max(0, version.Updates - entry.LostSince - entry.LostCount);
        entry.LostCount += more;
        return more;
    }

    /// <summary>The version of the checkpoints together: for each shard where it begins, its frames and its updates.</summary>
    public NamedTensor Versions() => new(
        VersionsName, [Count, 3], (long[])[.. _shards.SelectMany(shard => new[] { shard.Range.Start, shard.Saved.Frames, shard.Saved.Updates })]);

    private sealed class Entry(ShardRange range)
    {
        public ShardRange Range => range;

        public Checkpoint State { get; set; } = new();

        public (long Frames, long Updates) Saved { get; set; }

        public long Frames { get; set; }

        public long Updates { get; set; }

        public long Rejected { get; set; }

        public long RejectedBefore { get; set; }

        public int Epoch { get; set; }

        public int LostEpoch { get; set; } = -1;

        public long LostSince { get; set; }

        public long LostCount { get; set; }
    }
}

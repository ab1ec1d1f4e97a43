using System.Globalization;
using System.Text.Json;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>All that a run of asynchronous learners has to remember: the shared parameters, counters, episode window; to and from a
/// checkpoint.</summary>
/// <remarks>
/// Random streams need no entry: each resume begins a new epoch, whose learners are new incarnations. What a resume begins anew, too:
/// the episodes in progress, learners' own statistics where the update rule has them, and target parameters, which are θ at first.
/// A plain object for one thread, but for <see cref="Shared"/>.
/// </remarks>
public sealed class AsyncState
{
    private const string ReturnsName = "episodes.returns", RuleKey = "update.rule";

    private readonly string _algorithm;
    private readonly RollbackCounter _rolledBack = new();
    private LearnerProgress? _recent;
    private long _rejectedBefore, _skewMax;

    /// <param name="algorithm">The algorithm's name; a checkpoint of another one is refused.</param>
    /// <param name="shared">The parameters; where they are in shards, what the shards' checkpoints make together.</param>
    /// <param name="shards">How many shards; 0: none.</param>
    public AsyncState(string algorithm, SharedParameters shared, int shards = 0)
    {
        (_algorithm, Shared, Gradients) = (algorithm, shared, new GradientLedger(shared));
        if (shards > 0) Shards = new ShardBook(shared, Gradients, shards);
    }

    public SharedParameters Shared { get; }

    /// <summary>Which gradients of other nodes the parameters hold.</summary>
    public GradientLedger Gradients { get; }

    /// <summary>What is known of the shards; null where there are none.</summary>
    public ShardBook? Shards { get; }

    /// <summary>T, as far as it is known here.</summary>
    public long Frames => Shards?.Frames ?? Shared.Frames;

    /// <summary>How often the run was resumed.</summary>
    public int Epoch { get; private set; }

    /// <summary>The epoch of the checkpoint that the run was resumed from.</summary>
    public int ResumedEpoch { get; private set; }

    /// <summary>Episodes that were in progress when the run stopped, and were started anew by a resume.</summary>
    public long EpisodesRestarted { get; private set; }

    public EpisodeWindow Episodes { get; } = new();

    /// <summary>Updates by others between the read of the parameters and a gradient's arrival.</summary>
    public LagMeter Staleness { get; } = new();

    /// <summary>The skew of shards in the parameters that gradients were computed with.</summary>
    public LagMeter Skew { get; } = new();

    /// <summary>Gradients that were refused since the run began, those that came twice included; of shards those of the one that refused most.</summary>
    public long Rejected => _rejectedBefore + (Shards?.Rejected ?? Shared.AllRejected);

    /// <summary>Gradients that the parameters hold.</summary>
    public long UnrollsConsumed => Updates + Gradients.Merged;

    private string RuleName => JsonNamingPolicy.CamelCase.ConvertName(Shared.Rule.ToString());

    private long Updates => Shards?.Updates ?? Shared.Updates;

    /// <summary>Gradients whose effect went with a process that was lost, as far as that is known.</summary>
    public long UnrollsRolledBack => _rolledBack.Total;

    /// <summary>Takes in what a group of learners did.</summary>
    public void Add(LearnerProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        Episodes.Add(progress.EpisodeReturns, progress.EpisodesLost);
        Staleness.Add(progress.StalenessSum, progress.Updates);
        Skew.Add(progress.SkewSum, progress.Updates);
        _skewMax = Math.Max(_skewMax, progress.SkewMax);
        if (progress.Updates > 0) _recent = progress;
    }

    public LearnerReport Report(float learningRate)
    {
        // Not all frames were learned from: a replay memory fills first, a learner may keep its gradient.
        var loss = _recent?.Loss ?? default;
        var frames = Math.Max(1, loss.Frames);
        return new LearnerReport
        {
            Frames = Frames,
            Updates = Updates,
            Episodes = Episodes.Count,
            MeanReturn100 = Episodes.Mean,
            PolicyLag = Staleness.TakeRecent(),
            PolicyLagMean = Staleness.Mean,
            ShardSkew = Shards is null ? double.NaN : Skew.TakeRecent(),
            ShardSkewMean = Shards is null ? double.NaN : Skew.Mean,
            ShardSkewMax = Shards is null ? double.NaN : _skewMax,
            PolicyLoss = loss.PolicyGradient / frames,
            ValueLoss = loss.Value / frames,
            Entropy = loss.Entropy / frames,
            GradientNorm = (float)(_recent?.GradientNorm ?? 0),
            LearningRate = learningRate,
            UnrollsConsumed = UnrollsConsumed,
            UnrollsDuplicate = 0,
            UnrollsRejected = Rejected,
            UnrollsRolledBack = UnrollsRolledBack,
            EpisodesRestarted = EpisodesRestarted,
            EpisodesLost = Episodes.Lost,
        };
    }

    /// <summary>A copy of everything, safe to write while training goes on.</summary>
    public Checkpoint Save()
    {
        var (returns, episodes) = Episodes.Save();
        return new Checkpoint
        {
            Metadata = new Dictionary<string, string>
            {
                ["algorithm"] = _algorithm,
                [RuleKey] = RuleName,
                ["frames"] = Text(Shared.Frames),
                ["epoch"] = Text(Epoch),
                ["episodes"] = Text(episodes),
                ["episodes.lost"] = Text(Episodes.Lost),
                ["episodes.restarted"] = Text(EpisodesRestarted),
                ["gradients.rejected"] = Text(Rejected),
                ["gradients.rolledBack"] = Text(_rolledBack.Total),
                ["gradients.rolledBack.inLedger"] = Text(_rolledBack.InLedger),
            },
            Tensors = [
                .. Gradients.Save(), new NamedTensor(ReturnsName, [returns.Length], returns),
                .. Shards is null ? [] : new[] { Shards.Versions() }],
        };
    }

    /// <summary>Workers of other nodes know what was applied of theirs; what is not in the ledger was rolled back.</summary>
    /// <remarks>The ledger of shards is as old as their checkpoints, and what is lost in this epoch is counted as it happens.</remarks>
    public void CountRolledBack(WorkersReturned returned)
    {
        ArgumentNullException.ThrowIfNull(returned);
        var now = WorkerIdentity.FirstIncarnation(Epoch);
        if (Shards is not null) returned = returned with { Claims = Array.FindAll(returned.Claims, claim => claim.Incarnation < now) };
        Gradients.CountRolledBack(_rolledBack, returned);
    }

    /// <summary>A shard is lost: what it had applied since its last checkpoint is rolled back. Returns how many updates these are, as far as they
    /// are known.</summary>
    public long LoseShard(int shard)
    {
        var lost = Shards!.Lose(shard);
        _rolledBack.Add(lost, inLedger: shard == 0);
        return lost;
    }

    /// <summary>Somebody knows how many updates a shard had applied.</summary>
    public void SeeShard(ShardVersion version) => _rolledBack.Add(Shards!.See(version), inLedger: version.Shard == 0);

    /// <summary>Begins a run without a checkpoint at this epoch: earlier ones were begun and lost.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="updates">Gradients that they are known to have applied: all of them are rolled back.</param>
    public void Begin(int epoch, long updates)
    {
        Epoch = epoch;
        _rolledBack.Begin(updates);
        Shards?.Begin(Epoch, null);
    }

    /// <summary>Takes everything from a checkpoint and begins the next epoch.</summary>
    /// <param name="checkpoint">What <see cref="Save"/> gave.</param>
    /// <param name="environments">Environments of the run, all learners together: their episodes in progress are lost and counted.</param>
    /// <param name="updates">Gradients that the run is known to have applied, those rolled back included; what the checkpoint knows neither
    /// as applied nor as rolled back is rolled back now.</param>
    /// <param name="leastEpoch">The epoch is this one or a later one.</param>
    /// <exception cref="CheckpointFormatException">It lacks something, or does not fit this run's network or update rule.</exception>
    public void Resume(Checkpoint checkpoint, int environments, long updates, int leastEpoch)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (checkpoint.Text("algorithm") is var other && other != _algorithm)
            throw new CheckpointFormatException($"The checkpoint is of algorithm '{other}', the run of '{_algorithm}'.");
        // Statistics of another rule mean something else. Checkpoints of older versions do not name theirs; the lengths have to do.
        if (checkpoint.Metadata.GetValueOrDefault(RuleKey, RuleName) is var rule && rule != RuleName)
            throw new CheckpointFormatException($"The checkpoint is of the update rule '{rule}', the run of '{RuleName}' (learner.update.rule).");
        try
        {
            Episodes.Load(checkpoint.Tensor(ReturnsName).Floats, Number(checkpoint, "episodes"), Number(checkpoint, "episodes.lost"));
        }
        catch (ArgumentException reason)
        {
            throw new CheckpointFormatException($"The checkpoint's episodes make no sense: {reason.Message}");
        }
        Gradients.Load(checkpoint);
        ResumedEpoch = checked((int)Number(checkpoint, "epoch"));
        Epoch = Math.Max(leastEpoch, ResumedEpoch + 1);
        EpisodesRestarted = Number(checkpoint, "episodes.restarted") + environments;
        _rejectedBefore = Number(checkpoint, "gradients.rejected");
        var inLedger = checkpoint.Metadata.ContainsKey("gradients.rolledBack.inLedger") ? Number(checkpoint, "gradients.rolledBack.inLedger") : 0;
        _rolledBack.Resume(Number(checkpoint, "gradients.rolledBack"), Shared.Updates + Gradients.Merged, updates, inLedger);
        Shards?.Begin(Epoch, checkpoint);
    }

    private static long Number(Checkpoint checkpoint, string name) =>
        long.TryParse(checkpoint.Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new CheckpointFormatException($"The checkpoint's metadata has no number '{name}'.");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

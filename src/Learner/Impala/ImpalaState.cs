using System.Globalization;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Learner.Impala;

/// <summary>All that a run of IMPALA has to remember: weights, optimizer, counters, ledger, episode window; to and from
/// a checkpoint.</summary>
/// <remarks>Schedules are functions of the frame counter. Random streams need no entry: every resume begins a new epoch, and its
/// workers begin new incarnations, whose streams are their own; so two resumes from one checkpoint agree.</remarks>
public sealed class ImpalaState(ImpalaLearner learner, UnrollShape shape)
{
    private readonly RollbackCounter _rolledBack = new();

    private const string
        ParametersName = "parameters", OptimizerPrefix = "optimizer.", LedgerName = "ledger", ReturnsName = "episodes.returns";

    public ImpalaLearner Learner => learner;

    public UnrollShape Shape => shape;

    /// <summary>How often the run was resumed.</summary>
    public int Epoch { get; private set; }

    /// <summary>The epoch of the checkpoint that the run was resumed from. What was known to be rolled back of earlier ones is counted in
    /// it.</summary>
    public int ResumedEpoch { get; private set; }

    /// <summary>Episodes that were in progress when the run stopped, and were started anew by a resume.</summary>
    public long EpisodesRestarted { get; private set; }

    public ConsumptionLedger Ledger { get; private set; } = new();

    /// <inheritdoc cref="RollbackCounter"/>
    public long UnrollsRolledBack => _rolledBack.Total;

    public EpisodeWindow Episodes { get; } = new();

    /// <summary>Policy lag of this process's run.</summary>
    public LagMeter Lag { get; } = new();

    public LearnerReport Report() => new()
    {
        Frames = learner.Frames,
        Updates = learner.Updates,
        Episodes = Episodes.Count,
        MeanReturn100 = Episodes.Mean,
        PolicyLag = Lag.TakeRecent(),
        PolicyLagMean = Lag.Mean,
        PolicyLoss = learner.Loss.PolicyGradient / Math.Max(1, learner.Loss.Frames),
        ValueLoss = learner.Loss.Value / Math.Max(1, learner.Loss.Frames),
        Entropy = learner.Loss.MeanEntropy,
        GradientNorm = learner.GradientNorm,
        LearningRate = learner.LearningRate,
        UnrollsConsumed = Ledger.Consumed,
        UnrollsDuplicate = Ledger.Duplicates,
        UnrollsRolledBack = UnrollsRolledBack,
        EpisodesRestarted = EpisodesRestarted,
        EpisodesLost = Episodes.Lost,
    };

    /// <summary>A copy of everything, safe to write while training goes on.</summary>
    public Checkpoint Save()
    {
        var (returns, episodes) = Episodes.Save();
        var ledger = Ledger.Save();
        var tensors = new List<NamedTensor>
        {
            new(ParametersName, [learner.Parameters.Length], (float[])learner.Parameters.Clone()),
            new(LedgerName, [ledger.Length / 4, 4], ledger),
            new(ReturnsName, [returns.Length], returns),
        };
        foreach (var (name, values) in learner.Optimizer.State)
            tensors.Add(new NamedTensor(OptimizerPrefix + name, [values.Length], (float[])values.Clone()));
        return new Checkpoint
        {
            Metadata = new Dictionary<string, string>
            {
                ["algorithm"] = "impala",
                ["frames"] = Text(learner.Frames),
                ["updates"] = Text(learner.Updates),
                ["optimizer.steps"] = Text(learner.Optimizer.StepCount),
                ["epoch"] = Text(Epoch),
                ["episodes"] = Text(episodes),
                ["episodes.lost"] = Text(Episodes.Lost),
                ["episodes.restarted"] = Text(EpisodesRestarted),
                ["unrolls.rolledBack"] = Text(UnrollsRolledBack),
            },
            Tensors = tensors,
        };
    }

    /// <inheritdoc cref="RollbackCounter.Count"/>
    public void CountRolledBack(IEnumerable<ConsumptionClaim> claims, int firstSince) => _rolledBack.Count(claims, firstSince, Ledger);

    /// <summary>Begins a run without a checkpoint at this epoch: earlier ones were begun and lost.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="unrollsConsumed">Unrolls that they are known to have consumed: all of them are rolled back.</param>
    public void Begin(int epoch, long unrollsConsumed = 0)
    {
        Epoch = epoch;
        _rolledBack.Begin(unrollsConsumed);
    }

    /// <summary>Takes everything from a checkpoint and begins the next epoch.</summary>
    /// <param name="checkpoint">What <see cref="Save"/> gave.</param>
    /// <param name="environments">Environments of the run, all workers together: their episodes in progress are lost and counted.</param>
    /// <param name="unrollsConsumed">Unrolls that the run is known to have consumed, those rolled back included; what the checkpoint knows
    /// neither as consumed nor as rolled back is rolled back now.</param>
    /// <param name="leastEpoch">The epoch is this one or a later one.</param>
    /// <exception cref="CheckpointFormatException">It lacks something, or does not fit this run's network or optimizer.</exception>
    public void Resume(Checkpoint checkpoint, int environments, long unrollsConsumed, int leastEpoch = 0)
    {
        if (checkpoint.Text("algorithm") is var algorithm && algorithm != "impala")
            throw new CheckpointFormatException($"The checkpoint is of algorithm '{algorithm}', the run of 'impala'.");
        Copy(checkpoint, ParametersName, learner.Parameters);
        foreach (var (name, values) in learner.Optimizer.State) Copy(checkpoint, OptimizerPrefix + name, values);
        var returns = new float[EpisodeWindow.Size];
        Copy(checkpoint, ReturnsName, returns);
        try
        {
            Episodes.Load(returns, Number(checkpoint, "episodes"), Number(checkpoint, "episodes.lost"));
            Ledger = ConsumptionLedger.Load(checkpoint.Tensor(LedgerName).Int64s);
        }
        catch (ArgumentException reason)
        {
            throw new CheckpointFormatException($"The checkpoint's ledger or episodes make no sense: {reason.Message}");
        }
        (learner.Frames, learner.Updates) = (Number(checkpoint, "frames"), Number(checkpoint, "updates"));
        learner.Optimizer.StepCount = Number(checkpoint, "optimizer.steps");
        ResumedEpoch = checked((int)Number(checkpoint, "epoch"));
        Epoch = Math.Max(leastEpoch, ResumedEpoch + 1);
        EpisodesRestarted = Number(checkpoint, "episodes.restarted") + environments;
        _rolledBack.Resume(Number(checkpoint, "unrolls.rolledBack"), Ledger.Consumed, unrollsConsumed);
    }

    private static void Copy(Checkpoint checkpoint, string name, float[] target)
    {
        var source = checkpoint.Tensor(name).Floats;
        if (source.Length != target.Length)
            throw new CheckpointFormatException(
                $"The checkpoint's '{name}' has {source.Length} values, this run needs {target.Length}: "
                + "the network or the optimizer differs.");
        source.CopyTo(target, 0);
    }

    private static long Number(Checkpoint checkpoint, string name) =>
        long.TryParse(checkpoint.Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new CheckpointFormatException($"The checkpoint's metadata has no number '{name}'.");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

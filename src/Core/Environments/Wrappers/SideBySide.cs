using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Batches of one copy as one batch: for what stands around a single copy and may step it more often than the others, or reset
/// it alone, which a batch does not offer.</summary>
/// <remarks>Copy i draws from the given stream, 2^40·i numbers on: 2^40 numbers are a copy's own.</remarks>
public sealed class SideBySide : IEnvironmentBatch, IHasLives, IDisposable
{
    private readonly IEnvironmentBatch[] _copies;
    private readonly int[] _lives;
    private readonly int _bytes, _dimensions;

    /// <param name="count">How many.</param>
    /// <param name="random">All luck.</param>
    /// <param name="create">Makes a batch of one copy that draws from a stream.</param>
    public SideBySide(int count, RandomStream random, Func<RandomStream, IEnvironmentBatch> create)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _copies = new IEnvironmentBatch[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                var luck = random;
                luck.Seek(random.Position + ((ulong)i << 40));
                _copies[i] = create(luck);
                CheckIsOne(_copies[i]);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        Spec = _copies[0].Spec;
        _bytes = Spec.Observation.ByteCount;
        _dimensions = Spec.Action is ContinuousActionSpec continuous ? continuous.Dimensions : 0;
        _lives = Array.TrueForAll(_copies, copy => copy is IHasLives { Lives.Length: 1 }) ? new int[count] : [];
        GatherLives();
    }

    public EnvironmentSpec Spec { get; }

    public int Count => _copies.Length;

    public ReadOnlySpan<int> Lives => _lives;

    public void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        for (var i = 0; i < _copies.Length; i++) _copies[i].Reset(observations.Slice(i * _bytes, _bytes));
        GatherLives();
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        if (_dimensions > 0) throw new NotSupportedException($"Environment '{Spec.Name}' has continuous actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, Spec.DiscreteActions);
        for (var i = 0; i < _copies.Length; i++) _copies[i].Step(actions.Slice(i, 1), Row(results, i));
        GatherLives();
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        if (_dimensions == 0) throw new NotSupportedException($"Environment '{Spec.Name}' has discrete actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions);
        for (var i = 0; i < _copies.Length; i++) _copies[i].Step(actions.Slice(i * _dimensions, _dimensions), Row(results, i));
        GatherLives();
    }

    public void Render(int index, TextCanvas canvas)
    {
        BatchArguments.CheckIndex(index, Count);
        _copies[index].Render(0, canvas);
    }

    public void Dispose()
    {
        foreach (var copy in _copies) (copy as IDisposable)?.Dispose();
    }

    internal static void CheckIsOne(IEnvironmentBatch one)
    {
        if (one.Count != 1) throw new ArgumentException($"This stands around one copy, not {one.Count}.", nameof(one));
    }

    private StepResults Row(in StepResults results, int index) => new()
    {
        Observations = results.Observations.Slice(index * _bytes, _bytes),
        FinalObservations = results.FinalObservations.Slice(index * _bytes, _bytes),
        Rewards = results.Rewards.Slice(index, 1),
        Terminated = results.Terminated.Slice(index, 1),
        Truncated = results.Truncated.Slice(index, 1),
        Notes = results.Notes.IsEmpty ? default : results.Notes.Slice(index, 1),
    };

    private void GatherLives()
    {
        for (var i = 0; i < _lives.Length; i++) _lives[i] = ((IHasLives)_copies[i]).Lives[0];
    }
}

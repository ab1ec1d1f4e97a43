using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>A batch of environments of your own, stepped copy by copy.</summary>
/// <remarks>
/// One random stream serves the whole batch: the copies draw from it in the order of their index. Allocates nothing of its own. Where the
/// class is <see cref="IHasLives"/>, each copy tells one number, its own.
/// <code>
/// var checks = EnvironmentContract.Check((count, random) => new EnvironmentBatch(() => new Maze(), count, random));
/// </code>
/// </remarks>
public sealed class EnvironmentBatch : IEnvironmentBatch, IHasLives, IDisposable
{
    private readonly string _name;
    private readonly IEnvironment[] _copies;
    private readonly IDiscreteEnvironment[] _discrete = [];
    private readonly IContinuousEnvironment[] _continuous = [];
    private readonly IHasLives[] _living = [];
    private readonly int[] _lives, _episodeSteps;
    private readonly bool[] _flags;
    private readonly int _bytes, _dimensions;
    private RandomStream _random;
    private bool _begun;

    /// <param name="create">Makes one copy.</param>
    /// <param name="count">How many.</param>
    /// <param name="random">The stream of all their luck.</param>
    /// <param name="name">What errors call the environment; null for the name of its class.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    /// <exception cref="EnvironmentException">The spec is not sound, or a copy is not like the others.</exception>
    public EnvironmentBatch(Func<IEnvironment> create, int count, RandomStream random, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _copies = new IEnvironment[count];
        try
        {
            for (var i = 0; i < count; i++) _copies[i] = create();
            _name = name ?? _copies[0].GetType().Name;
            Spec = SpecOf(0);
            for (var i = 1; i < count; i++)
                if (SpecOf(i) is var spec && spec != Spec)
                    throw new EnvironmentException($"'{_name}': copy {i} has the spec {spec}, but copy 0 has {Spec}: every copy needs the same.");
            if (Spec.Action is ContinuousActionSpec continuous) (_continuous, _dimensions) = (Typed<IContinuousEnvironment>(), continuous.Dimensions);
            else _discrete = Typed<IDiscreteEnvironment>();
            if (Array.TrueForAll(_copies, copy => copy is IHasLives)) _living = Array.ConvertAll(_copies, copy => (IHasLives)copy);
        }
        catch
        {
            Dispose();
            throw;
        }
        _bytes = Spec.Observation.ByteCount;
        _flags = Spec.Observation.Type == ElementType.Bit ? new bool[Spec.Observation.ElementCount] : [];
        (_lives, _episodeSteps) = (new int[_living.Length], new int[count]);
        _random = random;
    }

    public EnvironmentSpec Spec { get; }

    public int Count => _copies.Length;

    /// <summary>Of each copy [B]; empty where the class has none.</summary>
    public ReadOnlySpan<int> Lives => _lives;

    public void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        for (var i = 0; i < _copies.Length; i++) ResetCopy(i, observations.Slice(i * _bytes, _bytes));
        _begun = true;
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        if (_discrete.Length == 0) throw new NotSupportedException($"Environment '{_name}' has continuous actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, Spec.DiscreteActions);
        CheckBegun();
        for (var i = 0; i < _discrete.Length; i++)
        {
            var row = Cleared(results.Observations.Slice(i * _bytes, _bytes));
            Outcome outcome;
            try
            {
                outcome = _discrete[i].Step(actions[i], ref _random, Writer(row));
            }
            catch (Exception error)
            {
                throw Failed(i, "Step", error);
            }
            Finish(i, outcome, row, results);
        }
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        if (_continuous.Length == 0) throw new NotSupportedException($"Environment '{_name}' has discrete actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions);
        CheckBegun();
        for (var i = 0; i < _continuous.Length; i++)
        {
            var row = Cleared(results.Observations.Slice(i * _bytes, _bytes));
            Outcome outcome;
            try
            {
                outcome = _continuous[i].Step(actions.Slice(i * _dimensions, _dimensions), ref _random, Writer(row));
            }
            catch (Exception error)
            {
                throw Failed(i, "Step", error);
            }
            Finish(i, outcome, row, results);
        }
    }

    public void Render(int index, TextCanvas canvas)
    {
        BatchArguments.CheckIndex(index, Count);
        try
        {
            _copies[index].Render(canvas);
        }
        catch (Exception error)
        {
            throw Failed(index, "Render", error);
        }
    }

    public void Dispose()
    {
        foreach (var copy in _copies) (copy as IDisposable)?.Dispose();
    }

    private EnvironmentSpec SpecOf(int copy)
    {
        EnvironmentSpec? spec;
        try
        {
            spec = _copies[copy].Spec;
        }
        catch (Exception error)
        {
            throw EnvironmentFailure.Threw($"'{_name}': Spec", error);
        }
        return SpecProblem.Of(spec) is { } problem ? throw new EnvironmentException($"'{_name}': {problem}") : spec!;
    }

    private void ResetCopy(int index, Span<byte> row)
    {
        _episodeSteps[index] = 0;
        Cleared(row);
        try
        {
            _copies[index].Reset(ref _random, Writer(row));
        }
        catch (Exception error)
        {
            throw Failed(index, "Reset", error);
        }
        Pack(row);
        ReadLives(index);
    }

    private void ReadLives(int index)
    {
        if (_living.Length == 0) return;
        try
        {
            _lives[index] = _living[index].Lives[0];
        }
        catch (Exception error)
        {
            throw Failed(index, "Lives", error);
        }
    }

    private void Finish(int index, Outcome outcome, Span<byte> row, in StepResults results)
    {
        Pack(row);
        _episodeSteps[index]++;
        results.Rewards[index] = (float)outcome.Reward;
        (results.Terminated[index], results.Truncated[index]) = (outcome.Terminated, outcome.Truncated);
        if (!outcome.Ended)
        {
            ReadLives(index);
            return;
        }
        row.CopyTo(results.FinalObservations.Slice(index * _bytes, _bytes));
        ResetCopy(index, row);
    }

    private ObservationWriter Writer(Span<byte> row) => new(Spec.Observation, row, _flags);

    private Span<byte> Cleared(Span<byte> row)
    {
        row.Clear();
        Array.Clear(_flags);
        return row;
    }

    // Eight flags at once, each a byte of 0 or 1: the product gathers them in its highest byte.
    private void Pack(Span<byte> row)
    {
        var bytes = MemoryMarshal.AsBytes(_flags.AsSpan());
        var i = 0;
        for (; i + 8 <= bytes.Length; i += 8)
            row[i / 8] = (byte)(BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]) * 0x0102040810204080UL >> 56);
        for (; i < bytes.Length; i++) row[i / 8] |= (byte)(bytes[i] << (i % 8));
    }

    private T[] Typed<T>() where T : class, IEnvironment => [.. _copies.Select(copy => copy as T ?? throw new EnvironmentException(
        $"'{_name}': its Spec has a {Spec.Action.GetType().Name}, so it must implement {typeof(T).Name}."))];

    private void CheckBegun()
    {
        if (!_begun) throw new InvalidOperationException($"'{_name}': Reset comes before Step.");
    }

    private EnvironmentException Failed(int copy, string method, Exception error) => EnvironmentFailure.Threw(
        $"'{_name}': {method} of copy {copy}, after {_episodeSteps[copy]} steps of its episode,", error);
}

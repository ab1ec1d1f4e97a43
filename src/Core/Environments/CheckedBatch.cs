using System.Runtime.InteropServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>A batch of another's code, watched at play: what it is asked is checked before, what it gives after, and what it throws is named.</summary>
/// <remarks>Costs one pass over rewards and Float32 observations. Allocates nothing.</remarks>
public sealed class CheckedBatch : IEnvironmentBatch, IHasLives, IDisposable
{
    private readonly IEnvironmentBatch _inner;
    private readonly string _name;
    private readonly int _bytes, _dimensions;
    private readonly bool _floats;
    private long _steps;

    /// <param name="inner">What is watched, and disposed with this, also where this cannot be made.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="count">How many copies it was to have.</param>
    /// <exception cref="EnvironmentException">It has another number of copies, or no sound spec.</exception>
    public CheckedBatch(IEnvironmentBatch inner, string name, int count)
    {
        (_inner, _name) = (inner, name);
        try
        {
            Spec = Called("Spec", static batch => batch.Spec);
            if (SpecProblem.Of(Spec) is { } problem) throw new EnvironmentException($"'{name}': {problem}");
            Count = Called("Count", static batch => batch.Count);
            if (Count != count)
                throw new EnvironmentException($"'{name}': Count is {Count}, but {count} copies were asked for: return the constructor's count.");
        }
        catch
        {
            Dispose();
            throw;
        }
        _bytes = Spec.Observation.ByteCount;
        _floats = Spec.Observation.Type == ElementType.Float32;
        _dimensions = (Spec.Action as ContinuousActionSpec)?.Dimensions ?? 0;
    }

    public EnvironmentSpec Spec { get; }

    public int Count { get; }

    /// <summary>Those of the batch that is watched; empty where it knows none.</summary>
    public ReadOnlySpan<int> Lives => _inner is IHasLives living ? living.Lives : [];

    public void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        try
        {
            _inner.Reset(observations);
        }
        catch (Exception error)
        {
            throw Failed("Reset", error);
        }
        CheckObservations(observations, 0, "Reset");
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        if (_dimensions > 0) throw new NotSupportedException($"Environment '{_name}' has continuous actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, Spec.DiscreteActions);
        _steps++;
        try
        {
            _inner.Step(actions, results);
        }
        catch (Exception error)
        {
            throw Failed("Step", error);
        }
        CheckResults(results);
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        if (_dimensions == 0) throw new NotSupportedException($"Environment '{_name}' has discrete actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions);
        _steps++;
        try
        {
            _inner.Step(actions, results);
        }
        catch (Exception error)
        {
            throw Failed("Step", error);
        }
        CheckResults(results);
    }

    public void Render(int index, TextCanvas canvas)
    {
        BatchArguments.CheckIndex(index, Count);
        try
        {
            _inner.Render(index, canvas);
        }
        catch (Exception error)
        {
            throw Failed("Render", error);
        }
    }

    public void Dispose() => (_inner as IDisposable)?.Dispose();

    private void CheckResults(in StepResults results)
    {
        if (FiniteCheck.FirstNotFinite(results.Rewards) is >= 0 and var copy)
            throw new EnvironmentException($"'{_name}': Step gave copy {copy} the reward {results.Rewards[copy]} at step {_steps}: rewards must be finite.");
        if (!_floats) return;
        CheckObservations(results.Observations, 0, "Step");
        for (var i = 0; i < Count; i++)
            if (results.Terminated[i] | results.Truncated[i]) CheckObservations(results.FinalObservations.Slice(i * _bytes, _bytes), i, "Step");
    }

    private void CheckObservations(ReadOnlySpan<byte> rows, int first, string method)
    {
        if (!_floats) return;
        var values = MemoryMarshal.Cast<byte, float>(rows);
        if (FiniteCheck.FirstNotFinite(values) is not (>= 0 and var index)) return;
        var elements = Spec.Observation.ElementCount;
        throw new EnvironmentException(
            $"'{_name}': {method} wrote {values[index]} into element {index % elements} of the observation of copy {first + index / elements} "
            + $"at step {_steps}: observations must be finite.");
    }

    private T Called<T>(string member, Func<IEnvironmentBatch, T> get)
    {
        try
        {
            return get(_inner);
        }
        catch (Exception error)
        {
            throw Failed(member, error);
        }
    }

    private EnvironmentException Failed(string method, Exception error) =>
        error as EnvironmentException ?? EnvironmentFailure.Threw($"'{_name}': {method}, at step {_steps} of the batch,", error);
}

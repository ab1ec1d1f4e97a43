using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments.Traces;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>One classic-control task without its time limit: a state of a few doubles, observed as float32.</summary>
public interface IControlTask<TSelf, TAction>
    where TSelf : struct, IControlTask<TSelf, TAction>
    where TAction : unmanaged
{
    /// <summary>The name here, "cartpole".</summary>
    static abstract string Name { get; }

    /// <summary>The name in Gymnasium and in traces, "CartPole-v1".</summary>
    static abstract string GymnasiumName { get; }

    static abstract string Description { get; }

    /// <summary>After this many steps an episode is truncated.</summary>
    static abstract int Limit { get; }

    /// <summary>Numbers in an observation.</summary>
    static abstract int Observations { get; }

    static abstract ActionSpec Action { get; }

    /// <summary>Numbers in the state.</summary>
    static abstract int StateSize { get; }

    /// <summary>How far a step's state may be from a trace's.</summary>
    static abstract double Tolerance { get; }

    void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws;

    /// <summary>Plays one action; never truncated.</summary>
    Outcome Step(TAction action);

    void Observe(Span<float> observation);

    void Render(TextCanvas canvas);

    /// <summary>Copies the state out, StateSize numbers.</summary>
    void Save(Span<double> state);

    /// <summary>Continues from a state that <see cref="Save"/> could have given.</summary>
    /// <exception cref="ArgumentException">No episode can be in this state.</exception>
    void Load(ReadOnlySpan<double> state);
}

/// <summary>A classic-control task with its time limit: a step counter outside the task.</summary>
public struct TimeLimited<TTask, TAction> : IGame<TimeLimited<TTask, TAction>, TAction>
    where TTask : struct, IControlTask<TTask, TAction>
    where TAction : unmanaged
{
    private readonly int _limit;
    private int _steps;
    private TTask _task;

    public TimeLimited(int limit) => (_limit, _task) = (limit, default);

    public static EnvironmentSpec Spec(EnvironmentOptions options) =>
        new(TTask.Name, new ObservationSpec(ElementType.Float32, TTask.Observations), TTask.Action);

    public static TimeLimited<TTask, TAction> Create(EnvironmentOptions options) => new(TTask.Limit);

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _steps = 0;
        _task.Reset(ref draws);
    }

    public Outcome Step<TDraws>(TAction action, ref TDraws draws) where TDraws : struct, IDraws =>
        _task.Step(action) with { Truncated = ++_steps >= _limit };

    public void Observe(Span<byte> observation) => _task.Observe(MemoryMarshal.Cast<byte, float>(observation));

    public void Render(TextCanvas canvas) => _task.Render(canvas);

    /// <summary>Copies the task's state out.</summary>
    public void Save(Span<double> state) => _task.Save(state);

    /// <summary>Continues from this state, as after <paramref name="steps"/> steps of an episode.</summary>
    public void Load(ReadOnlySpan<double> state, int steps)
    {
        _task.Load(state);
        _steps = steps;
    }
}

/// <summary>What the classic-control tasks share: Gymnasium's rules, exact in double.</summary>
public static class ControlFamily
{
    /// <summary>The registry's entry of a task; <paramref name="create"/> where it has a faster batch than the general one.</summary>
    public static EnvironmentEntry Entry<TTask, TAction>(Func<EnvironmentOptions, int, RandomStream, IEnvironmentBatch>? create = null)
        where TTask : struct, IControlTask<TTask, TAction>
        where TAction : unmanaged => new()
        {
            Name = TTask.Name,
            Description = TTask.Description,
            Spec = TimeLimited<TTask, TAction>.Spec,
            Create = create ?? ((options, count, random) => new GameBatch<TimeLimited<TTask, TAction>, TAction>(options, count, random)),
            Trace = new TraceReplay(ControlTrace.Format, TTask.GymnasiumName, ControlTrace.Replay<TTask, TAction>),
        };
}

using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Memory;

/// <summary>CartPole with its velocities hidden: an agent must remember to know which way cart and pole are moving.</summary>
/// <remarks>
/// Motion, rewards, ends, limit and draws are those of <see cref="CartPole"/>, to the bit. Observation: Float32[2], the cart's position (m)
/// and the pole's angle (rad). Poles have long been balanced without velocities to test memory, as in Gomez and Miikkulainen 1999, "Solving
/// non-Markovian control tasks with neuroevolution".
/// </remarks>
public sealed class CartPoleHidden : IEnvironmentBatch
{
    private const string Name = "cartpole-hidden";
    private const int StateSize = 4, Shown = 2, Position = 0, Angle = 2;

    private static readonly ObservationSpec Observation = new(ElementType.Float32, Shown);

    private readonly CartPoleBatch _carts;
    private readonly float[] _states, _finals;

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public CartPoleHidden(EnvironmentOptions options, int count, RandomStream random)
    {
        _carts = new CartPoleBatch(options, count, random);
        (_states, _finals) = (new float[StateSize * count], new float[StateSize * count]);
        Spec = SpecOf(options);
    }

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = Name,
        Description = "CartPole without its velocities in sight; at most 500 steps, best return 500.",
        Spec = SpecOf,
        Create = (options, count, random) => new CartPoleHidden(options, count, random),
    };

    public EnvironmentSpec Spec { get; }

    public int Count => _carts.Count;

    public void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        _carts.Reset(MemoryMarshal.AsBytes(_states.AsSpan()));
        ShowAll(observations);
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, Spec.DiscreteActions);
        _carts.Step(actions, new StepResults
        {
            Observations = MemoryMarshal.AsBytes(_states.AsSpan()),
            FinalObservations = MemoryMarshal.AsBytes(_finals.AsSpan()),
            Rewards = results.Rewards,
            Terminated = results.Terminated,
            Truncated = results.Truncated,
        });
        ShowAll(results.Observations);
        var finals = MemoryMarshal.Cast<byte, float>(results.FinalObservations);
        for (var i = 0; i < Count; i++)
            if (results.Terminated[i] | results.Truncated[i]) Show(_finals, finals, i);
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results) =>
        throw new NotSupportedException($"Environment '{Spec.Name}' has discrete actions.");

    public void Render(int index, TextCanvas canvas) => _carts.Render(index, canvas);

    private static EnvironmentSpec SpecOf(EnvironmentOptions options) => new(Name, Observation, CartPole.Action);

    private void ShowAll(Span<byte> observations)
    {
        var rows = MemoryMarshal.Cast<byte, float>(observations);
        for (var i = 0; i < Count; i++) Show(_states, rows, i);
    }

    private static void Show(ReadOnlySpan<float> states, Span<float> rows, int i) =>
        (rows[Shown * i], rows[Shown * i + 1]) = (states[StateSize * i + Position], states[StateSize * i + Angle]);
}

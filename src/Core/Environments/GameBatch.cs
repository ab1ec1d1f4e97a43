using System.Runtime.InteropServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>An environment batch of one game, stepped copy by copy.</summary>
/// <remarks>One random stream serves the whole batch: the copies draw from it in the order of their index.</remarks>
public sealed class GameBatch<TGame, TAction> : IEnvironmentBatch
    where TGame : struct, IGame<TGame, TAction>
    where TAction : unmanaged
{
    private readonly TGame[] _games;
    private readonly int _bytes;
    private RandomDraws _draws;

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public GameBatch(EnvironmentOptions options, int count, RandomStream random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        Spec = TGame.Spec(options);
        _bytes = Spec.Observation.ByteCount;
        _games = new TGame[count];
        Array.Fill(_games, TGame.Create(options));
        _draws = new RandomDraws(random);
        foreach (ref var game in _games.AsSpan()) game.Reset(ref _draws);
    }

    public EnvironmentSpec Spec { get; }

    public int Count => _games.Length;

    public void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        for (var i = 0; i < _games.Length; i++)
        {
            _games[i].Reset(ref _draws);
            _games[i].Observe(observations.Slice(i * _bytes, _bytes));
        }
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        if (typeof(TAction) != typeof(int)) throw new NotSupportedException($"Environment '{Spec.Name}' has continuous actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, Spec.DiscreteActions);
        StepAll(MemoryMarshal.Cast<int, TAction>(actions), results);
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results)
    {
        if (typeof(TAction) != typeof(float)) throw new NotSupportedException($"Environment '{Spec.Name}' has discrete actions.");
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions);
        StepAll(MemoryMarshal.Cast<float, TAction>(actions), results);
    }

    public void Render(int index, TextCanvas canvas)
    {
        BatchArguments.CheckIndex(index, Count);
        _games[index].Render(canvas);
    }

    private void StepAll(ReadOnlySpan<TAction> actions, in StepResults results)
    {
        for (var i = 0; i < _games.Length; i++)
        {
            ref var game = ref _games[i];
            var outcome = game.Step(actions[i], ref _draws);
            results.Rewards[i] = (float)outcome.Reward;
            (results.Terminated[i], results.Truncated[i]) = (outcome.Terminated, outcome.Truncated);
            if (outcome.Ended)
            {
                game.Observe(results.FinalObservations.Slice(i * _bytes, _bytes));
                game.Reset(ref _draws);
            }
            game.Observe(results.Observations.Slice(i * _bytes, _bytes));
        }
    }
}

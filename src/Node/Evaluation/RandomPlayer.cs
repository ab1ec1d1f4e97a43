using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Evaluation;

/// <summary>Plays a batch of environments with uniformly random actions, discrete or continuous.</summary>
internal sealed class RandomPlayer : IPlayer
{
    private readonly byte[] _observations, _finalObservations;
    private readonly bool[] _terminated, _truncated;
    private readonly StepNotes[] _notes;
    private readonly int[] _choices;
    private readonly float[] _forces;
    private RandomStream _random;

    public RandomPlayer(IEnvironmentBatch environments, RandomStream random)
    {
        (Environments, _random) = (environments, random);
        var count = environments.Count;
        _observations = new byte[count * environments.Spec.Observation.ByteCount];
        _finalObservations = new byte[_observations.Length];
        (Rewards, _terminated, _truncated) = (new float[count], new bool[count], new bool[count]);
        (_choices, _notes) = (new int[count], new StepNotes[count]);
        _forces = new float[environments.Spec.Action is ContinuousActionSpec continuous ? count * continuous.Dimensions : 0];
        environments.Reset(_observations);
    }

    public IEnvironmentBatch Environments { get; }

    public float[] Rewards { get; }

    public bool HasEnded(int environment) =>
        (_terminated[environment] || _truncated[environment]) && (_notes[environment] & StepNotes.GameGoesOn) == 0;

    public bool IsLost(int environment) => (_notes[environment] & StepNotes.EpisodeLost) != 0;

    public void Step()
    {
        Array.Clear(_notes);
        var results = new StepResults
        {
            Observations = _observations,
            FinalObservations = _finalObservations,
            Rewards = Rewards,
            Terminated = _terminated,
            Truncated = _truncated,
            Notes = _notes,
        };
        if (Environments.Spec.Action is ContinuousActionSpec continuous)
        {
            for (var i = 0; i < _forces.Length; i++)
                _forces[i] = Between(continuous.Low[i % continuous.Dimensions], continuous.High[i % continuous.Dimensions]);
            Environments.Step(_forces, results);
        }
        else
        {
            var actions = Environments.Spec.DiscreteActions;
            foreach (ref var choice in _choices.AsSpan()) choice = _random.NextInt32(actions);
            Environments.Step(_choices, results);
        }
    }

    /// <summary>A bound at infinity counts as ±1, or as 2 from the other where that is further out.</summary>
    private float Between(float low, float high)
    {
        if (float.IsInfinity(low)) low = float.IsInfinity(high) ? -1 : Math.Min(-1, high - 2);
        if (float.IsInfinity(high)) high = Math.Max(1, low + 2);
        return Math.Clamp(low + (high - low) * _random.NextSingle(), low, high);
    }
}

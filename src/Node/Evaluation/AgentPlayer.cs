using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Evaluation;

/// <summary>Plays a batch of environments with one policy, a step at a time.</summary>
internal sealed class AgentPlayer : IPlayer
{
    private readonly AgentNetwork _network;
    private readonly UnrollWorkspace _workspace;
    private readonly float[] _parameters;
    private readonly float[] _state;
    private readonly bool[] _reset;
    private readonly bool _sample;
    private readonly byte[] _observations, _finalObservations;
    private readonly int[] _actions;
    private readonly StepNotes[] _notes;
    private RandomStream _random;

    public AgentPlayer(IEnvironmentBatch environments, AgentNetwork network, float[] parameters, RandomStream random, bool sample)
    {
        (Environments, _network, _parameters, _random, _sample) = (environments, network, parameters, random, sample);
        var count = environments.Count;
        _workspace = network.CreateUnrollWorkspace(1, count, training: false);
        (_state, _reset) = (new float[count * network.StateSize], new bool[count]);
        Array.Fill(_reset, true);
        _observations = new byte[count * environments.Spec.Observation.ByteCount];
        _finalObservations = new byte[_observations.Length];
        (_actions, _notes) = (new int[count], new StepNotes[count]);
        (Rewards, Terminated, Truncated) = (new float[count], new bool[count], new bool[count]);
        environments.Reset(_observations);
    }

    public IEnvironmentBatch Environments { get; }

    /// <summary>[B], of the last step.</summary>
    public float[] Rewards { get; }

    public bool[] Terminated { get; }

    public bool[] Truncated { get; }

    public int ActionOf(int environment) => _actions[environment];

    public bool HasEnded(int environment) =>
        (Terminated[environment] || Truncated[environment]) && (_notes[environment] & StepNotes.GameGoesOn) == 0;

    public bool IsLost(int environment) => (_notes[environment] & StepNotes.EpisodeLost) != 0;

    public void Step()
    {
        _network.ForwardStep(_parameters, _observations, _reset, _state, 0, _workspace);
        var scores = _network is PolicyValueNetwork ? _workspace.LogitsAt(0) : _workspace.QAt(0);
        for (var i = 0; i < _actions.Length; i++) _actions[i] = Choose(scores.Slice(i * _network.Actions, _network.Actions));
        Array.Clear(_notes);
        Environments.Step(_actions, new StepResults
        {
            Observations = _observations,
            FinalObservations = _finalObservations,
            Rewards = Rewards,
            Terminated = Terminated,
            Truncated = Truncated,
            Notes = _notes,
        });
        for (var i = 0; i < _reset.Length; i++) _reset[i] = Terminated[i] | Truncated[i];
    }

    /// <summary>The likeliest action (the first of equals), or one drawn with probability proportional to e^logit.</summary>
    private int Choose(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best]) best = i;
        }
        if (!_sample) return best;
        var sum = 0.0;
        foreach (var logit in logits) sum += Math.Exp(logit - logits[best]);
        var left = _random.NextDouble() * sum;
        for (var i = 0; i < logits.Length; i++)
        {
            left -= Math.Exp(logits[i] - logits[best]);
            if (left < 0) return i;
        }
        return best;
    }
}

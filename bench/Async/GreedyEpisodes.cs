using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench.Async;

/// <summary>Episodes in which the best action is always taken.</summary>
internal static class GreedyEpisodes
{
    /// <summary>Mean return of the first episode of each environment.</summary>
    public static double Mean(AgentNetwork network, ReadOnlySpan<float> parameters, IEnvironmentBatch environments)
    {
        var count = environments.Count;
        var workspace = network.CreateUnrollWorkspace(1, count, training: false);
        var bytes = count * environments.Spec.Observation.ByteCount;
        var (observations, finals) = (new byte[bytes], new byte[bytes]);
        var (state, actions) = (new float[count * network.StateSize], new int[count]);
        var (rewards, terminated, truncated, reset) = (new float[count], new bool[count], new bool[count], new bool[count]);
        var (returns, notes, playing) = (new double[count], new StepNotes[count], count);
        var done = new bool[count];
        environments.Reset(observations);
        Array.Fill(reset, true);
        while (playing > 0)
        {
            network.ForwardStep(parameters, observations, reset, state, 0, workspace);
            Categorical.ArgMax(network is PolicyValueNetwork ? workspace.LogitsAt(0) : workspace.QAt(0), actions);
            Array.Clear(notes);
            environments.Step(actions, new StepResults
            {
                Observations = observations,
                FinalObservations = finals,
                Rewards = rewards,
                Terminated = terminated,
                Truncated = truncated,
                Notes = notes,
            });
            for (var i = 0; i < count; i++)
            {
                reset[i] = terminated[i] | truncated[i];
                if (done[i]) continue;
                returns[i] += rewards[i];
                if (!reset[i] || (notes[i] & StepNotes.GameGoesOn) != 0) continue;
                done[i] = true;
                playing--;
            }
        }
        return returns.Average();
    }
}

using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>A network with random parameters, an unroll of random observations and resets, and random gradients at its heads.</summary>
internal sealed class UnrollRun
{
    private readonly float[] _byAction;
    private readonly float[] _values;

    public UnrollRun(AgentNetwork network, int steps, int environments, double resetProbability = 0.3)
    {
        (Network, Steps, Environments) = (network, steps, environments);
        var random = RandomStream.Create(7, StreamRole.Initialization);
        Parameters = new float[network.Layout.Count];
        network.Initialize(Parameters, ref random);
        foreach (var slot in network.Layout)
        {
            foreach (ref var x in slot.Of(Parameters)) x += 0.1f * random.NextGaussian();
        }
        Observations = TestObservations.Random(network.Observation, steps * environments, ref random);
        Reset = new bool[steps * environments];
        foreach (ref var reset in Reset.AsSpan()) reset = random.NextSingle() < resetProbability;
        InitialState = Gaussian(environments * network.StateSize, ref random);
        _byAction = Gaussian(steps * environments * network.Actions, ref random);
        _values = Gaussian(steps * environments, ref random);
    }

    public AgentNetwork Network { get; }

    public int Steps { get; }

    public int Environments { get; }

    public float[] Parameters { get; }

    public byte[] Observations { get; }

    public bool[] Reset { get; }

    public float[] InitialState { get; }

    private int Rows => Steps * Environments;

    /// <summary>Gradients at row <paramref name="row"/>'s outputs, in the order of <see cref="Outputs"/>.</summary>
    public float[] OutputGradient(int row) => Network is PolicyValueNetwork
        ? [.. _byAction.AsSpan(row * Network.Actions, Network.Actions), _values[row]]
        : [.. _byAction.AsSpan(row * Network.Actions, Network.Actions)];

    public UnrollWorkspace Workspace(bool training = true) => Network.CreateUnrollWorkspace(Steps, Environments, training);

    /// <summary>Step by step.</summary>
    /// <returns>The state after the last step.</returns>
    public float[] Act(UnrollWorkspace workspace)
    {
        float[] state = [.. InitialState];
        var bytes = Environments * Network.Observation.ByteCount;
        for (var t = 0; t < Steps; t++)
        {
            Network.ForwardStep(
                Parameters, Observations.AsSpan(t * bytes, bytes), Reset.AsSpan(t * Environments, Environments), state, t, workspace);
        }
        return state;
    }

    /// <summary>All steps at once.</summary>
    public void Unroll(UnrollWorkspace workspace) =>
        Network.ForwardUnroll(Parameters, Observations, Reset, InitialState, Steps, workspace);

    /// <summary>Of each row, logits and value or action values.</summary>
    public float[] Outputs(UnrollWorkspace workspace)
    {
        var outputs = new List<float>();
        for (var row = 0; row < Rows; row++)
        {
            var (t, b, actions) = (row / Environments, row % Environments, Network.Actions);
            var byAction = Network is PolicyValueNetwork ? workspace.LogitsAt(t) : workspace.QAt(t);
            outputs.AddRange(byAction.Slice(b * actions, actions));
            if (Network is PolicyValueNetwork) outputs.Add(workspace.ValuesAt(t)[b]);
        }
        return [.. outputs];
    }

    public float[] Backward(UnrollWorkspace workspace, int steps)
    {
        var gradient = new float[Parameters.Length];
        Backward(workspace, steps, gradient);
        return gradient;
    }

    public void Backward(UnrollWorkspace workspace, int steps, float[] gradient)
    {
        var rows = steps * Environments;
        var byAction = _byAction.AsSpan(0, rows * Network.Actions);
        if (Network is PolicyValueNetwork policy)
            policy.Backward(Parameters, steps, workspace, byAction, _values.AsSpan(0, rows), gradient);
        else
            ((ActionValueNetwork)Network).Backward(Parameters, steps, workspace, byAction, gradient);
    }

    private static float[] Gaussian(int length, ref RandomStream random)
    {
        var values = new float[length];
        foreach (ref var x in values.AsSpan()) x = random.NextGaussian();
        return values;
    }
}

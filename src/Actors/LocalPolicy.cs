using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Actors;

/// <summary>Acts with weights that are on this node: one batched forward pass a step.</summary>
/// <remarks>Not thread-safe. Allocates nothing after creation.</remarks>
public sealed class LocalPolicy
{
    private readonly PolicyValueNetwork _network;
    private readonly NetworkWorkspace _workspace;
    private readonly float[] _uniforms;
    private RandomStream _random;

    public LocalPolicy(PolicyValueNetwork network, int environments, RandomStream random)
    {
        _network = network;
        _workspace = network.CreateWorkspace(environments, training: false);
        _uniforms = new float[environments];
        _random = random;
    }

    /// <summary>Draws an action for each of B observations and writes the logits that it was drawn from.</summary>
    /// <param name="parameters">The weights, flat.</param>
    /// <param name="observations">[B × ByteCount].</param>
    /// <param name="actions">[B].</param>
    /// <param name="logits">[B][A].</param>
    public void Act(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, Span<int> actions, Span<float> logits)
    {
        var uniforms = _uniforms.AsSpan(0, actions.Length);
        _network.Forward(parameters, observations, actions.Length, _workspace);
        _workspace.Logits.CopyTo(logits);
        _random.FillSingle(uniforms);
        Categorical.Sample(logits, uniforms, actions);
    }

    /// <summary>The values of the first <paramref name="count"/> ≤ B observations; valid until the next call.</summary>
    public ReadOnlySpan<float> Values(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, int count)
    {
        _network.Forward(parameters, observations[..(count * _network.Observation.ByteCount)], count, _workspace);
        return _workspace.Values;
    }
}

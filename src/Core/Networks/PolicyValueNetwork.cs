using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Networks;

/// <summary>Observations to policy logits and state values, and back from their gradients to the parameters' gradient.</summary>
/// <remarks>
/// Heads: "policy.weight" [features, A], "policy.bias", "value.weight" [features, 1], "value.bias". For unrolls see
/// <see cref="AgentNetwork"/>; batches of single samples, without an LSTM:
/// <code>
/// network.Forward(parameters, observations, batch, workspace);
/// Loss(workspace.Logits, workspace.Values, logitGradient, valueGradient);
/// network.Backward(parameters, batch, workspace, logitGradient, valueGradient, gradient); // gradient += …
/// </code>
/// </remarks>
public sealed class PolicyValueNetwork : AgentNetwork
{
    private PolicyValueNetwork(NetworkOptions options, Func<ParameterLayoutBuilder, Torso> torso, int actions)
        : base(options, torso, actions, ("policy", actions), ("value", 1))
    {
        if (options.Dueling) throw new ArgumentException("Dueling is for action values; this network gives a policy.", "Dueling");
        FirstHeadScale = options.PolicyHeadScale;
    }

    private protected override float FirstHeadScale { get; }

    /// <summary>The network that the options name.</summary>
    /// <exception cref="ArgumentException">An option is unknown or does not suit the observation; the message names it and what is
    /// valid.</exception>
    public static PolicyValueNetwork Create(NetworkOptions options, ObservationSpec observation, int actions) =>
        new(options, layout => Torsos.Create(options, layout, observation), actions);

    /// <summary>A network with a torso of one's own; of the options the torso and its sizes do not count.</summary>
    public static PolicyValueNetwork Create(Func<ParameterLayoutBuilder, Torso> torso, int actions, NetworkOptions options) =>
        new(options, torso, actions);

    /// <summary>Memory for one thread's passes of up to <paramref name="maxBatch"/> samples; a backward pass needs training.</summary>
    /// <exception cref="NotSupportedException">The network has an LSTM.</exception>
    public NetworkWorkspace CreateWorkspace(int maxBatch, bool training) => new(CreateBatchMemory(maxBatch, training));

    /// <summary>observations [batch × Observation.ByteCount] to workspace.Logits [batch × A] and workspace.Values [batch].</summary>
    /// <exception cref="ArgumentException">A length does not fit, the batch is too large, or the workspace is another
    /// network's.</exception>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, int batch, NetworkWorkspace workspace) =>
        ForwardBatch(parameters, observations, batch, workspace.Memory);

    /// <summary>gradient [Layout.Count] += the gradient of the loss whose gradients at the heads are given, for the workspace's last
    /// forward pass.</summary>
    /// <param name="parameters">Those of the forward pass.</param>
    /// <param name="batch">Samples, the first of the forward pass: what follows them there (bootstrap values) has no gradient.</param>
    /// <param name="logitGradient">[batch × A].</param>
    /// <param name="valueGradient">[batch].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the workspace is not for training or is another network's.</exception>
    public void Backward(
        ReadOnlySpan<float> parameters, int batch, NetworkWorkspace workspace, ReadOnlySpan<float> logitGradient,
        ReadOnlySpan<float> valueGradient, Span<float> gradient)
    {
        CheckBatch(batch, workspace.Memory);
        Backward(parameters, batch, workspace.Memory, logitGradient, valueGradient, gradient);
    }

    /// <summary>gradient [Layout.Count] += the gradient of the loss whose gradients at the heads are given, through the time of the
    /// workspace's unroll; once a forward pass.</summary>
    /// <param name="parameters">Those of the forward pass.</param>
    /// <param name="steps">The first of the unroll: what follows them there (a bootstrap value) has no gradient.</param>
    /// <param name="logitGradient">[steps × B × A].</param>
    /// <param name="valueGradient">[steps × B].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the workspace is not for training or is another network's.</exception>
    public void Backward(
        ReadOnlySpan<float> parameters, int steps, UnrollWorkspace workspace, ReadOnlySpan<float> logitGradient,
        ReadOnlySpan<float> valueGradient, Span<float> gradient)
    {
        var rows = CheckSteps(steps, workspace.Memory);
        Backward(parameters, rows, workspace.Memory, logitGradient, valueGradient, gradient);
    }

    private protected override void ReadHeads(int firstRow, int rows, NetworkMemory memory)
    {
        var output = memory.Heads.Output.AsSpan(firstRow * Heads.Stride, rows * Heads.Stride);
        var logits = memory.ByAction.AsSpan(firstRow * Actions, rows * Actions);
        var values = memory.Values.AsSpan(firstRow, rows);
        for (var i = 0; i < values.Length; i++)
        {
            var row = output.Slice(i * Heads.Stride, Heads.Columns);
            var target = logits.Slice(i * Actions, Actions);
            for (var a = 0; a < target.Length; a++) target[a] = row[a];
            values[i] = row[target.Length];
        }
    }

    private void Backward(
        ReadOnlySpan<float> parameters, int rows, NetworkMemory memory, ReadOnlySpan<float> logitGradient,
        ReadOnlySpan<float> valueGradient, Span<float> gradient)
    {
        CheckBackward(parameters, gradient, logitGradient, rows, memory, nameof(logitGradient));
        CheckLength(valueGradient.Length, rows, nameof(valueGradient), "rows");
        if (rows == 0) return;
        var output = memory.Heads.Output.AsSpan(0, rows * Heads.Stride);
        for (var i = 0; i < valueGradient.Length; i++)
        {
            var row = output.Slice(i * Heads.Stride, Heads.Stride);
            var source = logitGradient.Slice(i * Actions, Actions);
            for (var a = 0; a < source.Length; a++) row[a] = source[a];
            row[source.Length] = valueGradient[i];
            row[Heads.Columns..].Clear();
        }
        BackwardFromHeads(parameters, rows, memory, gradient);
    }
}

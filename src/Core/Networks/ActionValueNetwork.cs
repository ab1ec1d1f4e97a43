using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Networks;

/// <summary>Observations to action values, and back from their gradient to the parameters' gradient.</summary>
/// <remarks>
/// One linear head, "q.weight" [features, A] and "q.bias"; or, dueling, "advantage.weight" [features, A], "advantage.bias",
/// "value.weight" [features, 1], "value.bias" and Q(a) = V + A(a) - mean A (Wang et al. 2016, eq. 9). There each of the two streams has a
/// hidden layer of its own; here they share the torso's last one.
/// For unrolls see <see cref="AgentNetwork"/>; batches of single samples, without an LSTM:
/// <code>
/// network.Forward(parameters, observations, batch, workspace);
/// Loss(workspace.Q, gradientOfQ);
/// network.Backward(parameters, batch, workspace, gradientOfQ, gradient); // gradient += …
/// </code>
/// </remarks>
public sealed class ActionValueNetwork : AgentNetwork
{
    private ActionValueNetwork(NetworkOptions options, Func<ParameterLayoutBuilder, Torso> torso, int actions)
        : base(options, torso, actions, options.Dueling ? [("advantage", actions), ("value", 1)] : [("q", actions)]) =>
        IsDueling = options.Dueling;

    public bool IsDueling { get; }

    /// <summary>The network that the options name.</summary>
    /// <exception cref="ArgumentException">An option is unknown or does not suit the observation; the message names it and what is
    /// valid.</exception>
    public static ActionValueNetwork Create(NetworkOptions options, ObservationSpec observation, int actions) =>
        new(options, layout => Torsos.Create(options, layout, observation), actions);

    /// <summary>A network with a torso of one's own; of the options only the LSTM, dueling and the initializer count.</summary>
    public static ActionValueNetwork Create(Func<ParameterLayoutBuilder, Torso> torso, int actions, NetworkOptions options) =>
        new(options, torso, actions);

    /// <summary>Memory for one thread's passes of up to <paramref name="maxBatch"/> samples; a backward pass needs training.</summary>
    /// <exception cref="NotSupportedException">The network has an LSTM.</exception>
    public NetworkWorkspace CreateWorkspace(int maxBatch, bool training) => new(CreateBatchMemory(maxBatch, training));

    /// <summary>observations [batch × Observation.ByteCount] to workspace.Q [batch × A].</summary>
    /// <exception cref="ArgumentException">A length does not fit, the batch is too large, or the workspace is another
    /// network's.</exception>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, int batch, NetworkWorkspace workspace) =>
        ForwardBatch(parameters, observations, batch, workspace.Memory);

    /// <summary>gradient [Layout.Count] += the gradient of the loss whose gradient at Q is given, for the workspace's last forward
    /// pass.</summary>
    /// <param name="parameters">Those of the forward pass.</param>
    /// <param name="batch">Samples, the first of the forward pass: what follows them there has no gradient.</param>
    /// <param name="actionValueGradient">[batch × A].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the workspace is not for training or is another network's.</exception>
    public void Backward(
        ReadOnlySpan<float> parameters, int batch, NetworkWorkspace workspace, ReadOnlySpan<float> actionValueGradient,
        Span<float> gradient)
    {
        CheckBatch(batch, workspace.Memory);
        Backward(parameters, batch, workspace.Memory, actionValueGradient, gradient);
    }

    /// <summary>gradient [Layout.Count] += the gradient of the loss whose gradient at Q is given, through the time of the workspace's
    /// unroll; once a forward pass.</summary>
    /// <param name="parameters">Those of the forward pass.</param>
    /// <param name="steps">The first of the unroll: what follows them there (a bootstrap value) has no gradient.</param>
    /// <param name="actionValueGradient">[steps × B × A].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the workspace is not for training or is another network's.</exception>
    public void Backward(
        ReadOnlySpan<float> parameters, int steps, UnrollWorkspace workspace, ReadOnlySpan<float> actionValueGradient,
        Span<float> gradient)
    {
        var rows = CheckSteps(steps, workspace.Memory);
        Backward(parameters, rows, workspace.Memory, actionValueGradient, gradient);
    }

    private protected override void ReadHeads(int firstRow, int rows, NetworkMemory memory)
    {
        var output = memory.Heads.Output.AsSpan(firstRow * Heads.Stride, rows * Heads.Stride);
        var values = memory.ByAction.AsSpan(firstRow * Actions, rows * Actions);
        for (var i = 0; i < rows; i++)
        {
            var row = output.Slice(i * Heads.Stride, Heads.Columns);
            var q = values.Slice(i * Actions, Actions);
            row[..Actions].CopyTo(q);
            if (!IsDueling) continue;
            var offset = row[Actions] - Sum(q) / Actions;
            foreach (ref var value in q) value += offset;
        }
    }

    private void Backward(
        ReadOnlySpan<float> parameters, int rows, NetworkMemory memory, ReadOnlySpan<float> actionValueGradient, Span<float> gradient)
    {
        CheckBackward(parameters, gradient, actionValueGradient, rows, memory, nameof(actionValueGradient));
        if (rows == 0) return;
        for (var i = 0; i < rows; i++)
        {
            var row = memory.Heads.Output.AsSpan(i * Heads.Stride, Heads.Stride);
            actionValueGradient.Slice(i * Actions, Actions).CopyTo(row);
            row[Actions..].Clear();
            if (!IsDueling) continue;
            row[Actions] = Sum(row[..Actions]);
            foreach (ref var advantage in row[..Actions]) advantage -= row[Actions] / Actions;
        }
        BackwardFromHeads(parameters, rows, memory, gradient);
    }

    private static float Sum(ReadOnlySpan<float> values)
    {
        var sum = 0f;
        foreach (var value in values) sum += value;
        return sum;
    }
}

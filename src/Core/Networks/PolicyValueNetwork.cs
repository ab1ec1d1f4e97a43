using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Observations to policy logits and state values, and back from their gradients to the parameters' gradient.</summary>
/// <remarks>
/// Immutable and thread-safe: the parameters are the caller's flat array of <see cref="Layout"/>.Count floats, and what a pass needs
/// lies in a <see cref="NetworkWorkspace"/>, one a thread. Neither pass allocates. A sample's outputs do not depend on its batch.
/// <code>
/// network.Forward(parameters, observations, batch, workspace);
/// Loss(workspace.Logits, workspace.Values, logitGradient, valueGradient);
/// network.Backward(parameters, batch, workspace, logitGradient, valueGradient, gradient); // gradient += …
/// </code>
/// </remarks>
public sealed class PolicyValueNetwork
{
    private readonly NetworkOptions _options;
    private readonly Torso _torso;
    private readonly PolicyValueHead _head;

    private PolicyValueNetwork(NetworkOptions options, Func<ParameterLayoutBuilder, Torso> torso, int actions)
    {
        if (actions <= 0) throw new ArgumentOutOfRangeException(nameof(actions), actions, "A policy needs at least one action.");
        if (!Enum.IsDefined(options.Initializer))
            throw new ArgumentException(
                $"Initializer '{options.Initializer}' is unknown; there are: {string.Join(", ", Enum.GetNames<Initializer>())}.",
                nameof(options));
        if (!float.IsFinite(options.PolicyHeadScale))
            throw new ArgumentException($"PolicyHeadScale is {options.PolicyHeadScale}; it must be a finite number.", nameof(options));
        var layout = new ParameterLayoutBuilder();
        (_options, Actions) = (options, actions);
        _torso = torso(layout);
        _head = new PolicyValueHead(layout, _torso.Features, actions);
        Normalizer = options.NormalizeObservations ? new ObservationNormalizer(layout, _torso.Observation) : null;
        Layout = layout.Build();
    }

    public ParameterLayout Layout { get; }

    /// <summary>What is between the observations and the torso; null for nothing.</summary>
    public ObservationNormalizer? Normalizer { get; }

    /// <summary>A.</summary>
    public int Actions { get; }

    public ObservationSpec Observation => _torso.Observation;

    /// <summary>Multiplications and additions of the matrix products of one sample's forward pass; both passes together take about
    /// three times as many, less the first layer's input gradient.</summary>
    public long ForwardFlopsPerSample => _torso.FlopsPerSample + _head.FlopsPerSample;

    /// <summary>The network that the options name.</summary>
    /// <exception cref="ArgumentException">An option is unknown or does not suit the observation; the message names it and what is
    /// valid.</exception>
    public static PolicyValueNetwork Create(NetworkOptions options, ObservationSpec observation, int actions) =>
        new(options, layout => Torsos.Create(options, layout, observation), actions);

    /// <summary>A network with a torso of one's own; of the options the torso and its sizes do not count.</summary>
    public static PolicyValueNetwork Create(Func<ParameterLayoutBuilder, Torso> torso, int actions, NetworkOptions options) =>
        new(options, torso, actions);

    /// <summary>Writes starting values to all parameters [Layout.Count]; the padding becomes 0.</summary>
    public void Initialize(Span<float> parameters, ref RandomStream random)
    {
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        parameters.Clear();
        _torso.Initialize(parameters, _options.Initializer, ref random);
        _head.Initialize(parameters, _options.Initializer, _options.PolicyHeadScale, ref random);
    }

    /// <summary>Memory for one thread's passes of up to <paramref name="maxBatch"/> samples; <see cref="Backward"/> needs
    /// training.</summary>
    public NetworkWorkspace CreateWorkspace(int maxBatch, bool training)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        return new NetworkWorkspace(this, maxBatch, training, _torso.CreateBuffers(maxBatch, training),
            _head.CreateBuffers(maxBatch, training));
    }

    /// <summary>observations [batch × Observation.ByteCount] to workspace.Logits [batch × A] and workspace.Values [batch].</summary>
    /// <exception cref="ArgumentException">A length does not fit, the batch is too large, or the workspace is another
    /// network's.</exception>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, int batch, NetworkWorkspace workspace)
    {
        CheckWorkspace(workspace);
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        if (batch < 0 || batch > workspace.MaxBatch)
            throw new ArgumentOutOfRangeException(nameof(batch), batch, $"The workspace holds batches of 0 to {workspace.MaxBatch}.");
        CheckLength(observations.Length, batch * Observation.ByteCount, nameof(observations), "batch × ByteCount");
        workspace.Batch = batch;
        if (batch == 0) return;
        if (Normalizer is not null) observations = Normalizer.Normalize(parameters, observations, workspace.Normalized, workspace.Factors);
        _torso.Forward(parameters, observations, batch, workspace.Torso);
        _head.Forward(parameters, workspace.Torso.Features.AsSpan(0, batch * _torso.Features), batch, workspace.Head);
    }

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
        CheckWorkspace(workspace);
        if (!workspace.Training)
            throw new ArgumentException("This workspace was created for acting; create it with training: true.", nameof(workspace));
        if (batch > workspace.Batch)
            throw new ArgumentException($"The batch is {batch}, but that of the last forward pass was {workspace.Batch}.", nameof(batch));
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        CheckLength(gradient.Length, Layout.Count, nameof(gradient), "Layout.Count");
        CheckLength(logitGradient.Length, batch * Actions, nameof(logitGradient), "batch × Actions");
        CheckLength(valueGradient.Length, batch, nameof(valueGradient), "batch");
        if (batch == 0) return;
        var size = batch * _torso.Features;
        _head.Backward(
            parameters, workspace.Torso.Features.AsSpan(0, size), batch, logitGradient, valueGradient,
            workspace.Torso.FeatureGradient.AsSpan(0, size), gradient, workspace.Head);
        _torso.Backward(parameters, batch, workspace.Torso, gradient);
    }

    private static void CheckLength(int length, int expected, string name, string meaning)
    {
        if (length != expected) throw new ArgumentException($"{name} has the length {length}; needed is {meaning} = {expected}.", name);
    }

    private void CheckWorkspace(NetworkWorkspace workspace)
    {
        if (!ReferenceEquals(workspace.Owner, this))
            throw new ArgumentException("The workspace was created by another network.", nameof(workspace));
    }
}

/// <summary>What one thread's passes through a <see cref="PolicyValueNetwork"/> need and give; not thread-safe.</summary>
public sealed class NetworkWorkspace
{
    internal NetworkWorkspace(PolicyValueNetwork owner, int maxBatch, bool training, TorsoBuffers torso, HeadBuffers head)
    {
        (Owner, MaxBatch, Training, Torso, Head) = (owner, maxBatch, training, torso, head);
        var size = owner.Normalizer?.Size ?? 0;
        (Normalized, Factors) = (new float[maxBatch * size], new float[size]);
    }

    public int MaxBatch { get; }

    /// <summary>Whether a backward pass is possible.</summary>
    public bool Training { get; }

    /// <summary>Samples of the last forward pass.</summary>
    public int Batch { get; internal set; }

    /// <summary>[Batch × A], of the last forward pass; valid until the next.</summary>
    public Span<float> Logits => Head.Logits.AsSpan(0, Batch * Owner.Actions);

    /// <summary>[Batch], of the last forward pass; valid until the next.</summary>
    public Span<float> Values => Head.Values.AsSpan(0, Batch);

    internal PolicyValueNetwork Owner { get; }

    /// <summary>Observations as the torso sees them, and what they were multiplied by; empty where the network takes them as they are.</summary>
    internal float[] Normalized { get; }

    internal float[] Factors { get; }

    internal TorsoBuffers Torso { get; }

    internal HeadBuffers Head { get; }
}

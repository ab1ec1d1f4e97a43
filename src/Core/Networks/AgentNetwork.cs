using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>A torso, perhaps an LSTM, and linear heads: what <see cref="PolicyValueNetwork"/> and <see cref="ActionValueNetwork"/>
/// share.</summary>
/// <remarks>
/// Immutable and thread-safe: the parameters are the caller's flat array of <see cref="Layout"/>.Count floats, and what a pass needs
/// lies in a workspace, one a thread. No pass allocates. A sample's outputs do not depend on its batch.
/// Unrolls: rows are ordered [step][environment]. A sample's state is the LSTM's h, then c; without an LSTM it is empty.
/// reset[t][b] says that observation t of b starts an episode: the state is set to zero before step t. The gradient stops at the state
/// before step 0 and at resets. Acting keeps what the backward pass needs, so that nothing is computed twice:
/// <code>
/// for (var t = 0; t &lt; steps; t++)
/// {
///     network.ForwardStep(parameters, observations, reset, state, t, workspace);   // state moves on
///     Act(workspace.LogitsAt(t));
/// }
/// network.Backward(parameters, steps, workspace, logitGradient, valueGradient, gradient);
/// </code>
/// From step 0 to the backward pass the parameters must stay as they are.
/// </remarks>
public abstract class AgentNetwork
{
    private readonly NetworkOptions _options;
    private readonly Torso _torso;
    private readonly Lstm? _lstm;

    private protected AgentNetwork(
        NetworkOptions options, Func<ParameterLayoutBuilder, Torso> torso, int actions, params ReadOnlySpan<(string, int)> heads)
    {
        if (actions <= 0) throw new ArgumentOutOfRangeException(nameof(actions), actions, "An agent needs at least one action.");
        if (!Enum.IsDefined(options.Initializer))
            throw new ArgumentException(
                $"Initializer '{options.Initializer}' is unknown; there are: {string.Join(", ", Enum.GetNames<Initializer>())}.",
                nameof(options));
        if (options.Lstm < 0) throw new ArgumentException($"An LSTM cannot have {options.Lstm} units.", nameof(options));
        var layout = new ParameterLayoutBuilder();
        (_options, Actions) = (options, actions);
        _torso = torso(layout);
        _lstm = options.Lstm > 0 ? new Lstm(layout, "lstm", _torso.Features, options.Lstm) : null;
        Heads = new LinearHeads(layout, _lstm?.Units ?? _torso.Features, heads);
        Normalizer = options.NormalizeObservations ? new ObservationNormalizer(layout, Observation) : null;
        Layout = layout.Build();
    }

    public ParameterLayout Layout { get; }

    /// <summary>What is between the observations and the torso; null for nothing.</summary>
    public ObservationNormalizer? Normalizer { get; }

    /// <summary>A.</summary>
    public int Actions { get; }

    public ObservationSpec Observation => _torso.Observation;

    /// <summary>Floats of a sample's state: 2H with an LSTM of H units, else 0.</summary>
    public int StateSize => _lstm?.StateSize ?? 0;

    /// <summary>Multiplications and additions of the matrix products of one sample's forward pass; both passes together take about
    /// three times as many, less the first layer's input gradient.</summary>
    public long ForwardFlopsPerSample => _torso.FlopsPerSample + (_lstm?.FlopsPerSample ?? 0) + Heads.FlopsPerSample;

    private protected LinearHeads Heads { get; }

    /// <summary>Factor on the first head's initial weights.</summary>
    private protected virtual float FirstHeadScale => 1;

    /// <summary>Writes starting values to all parameters [Layout.Count]; the padding becomes 0.</summary>
    public void Initialize(Span<float> parameters, ref RandomStream random)
    {
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        parameters.Clear();
        _torso.Initialize(parameters, _options.Initializer, ref random);
        _lstm?.Initialize(parameters, _options.Initializer, ref random);
        Heads.Initialize(parameters, _options.Initializer, FirstHeadScale, ref random);
    }

    /// <summary>Memory for one thread's unrolls of up to so many steps and environments; a backward pass needs training. For acting
    /// alone one step is enough: step 0 each time.</summary>
    public UnrollWorkspace CreateUnrollWorkspace(int steps, int environments, bool training)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(environments);
        return new UnrollWorkspace(CreateMemory(steps * environments, environments, training), steps);
    }

    /// <summary>One step of B environments; its outputs are the workspace's at <paramref name="step"/>.</summary>
    /// <param name="observations">[B × Observation.ByteCount].</param>
    /// <param name="reset">[B].</param>
    /// <param name="state">[B × StateSize], before the step and on return after it.</param>
    /// <param name="step">While training, 0 starts an unroll, and no step may be left out; B is the same throughout.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the workspace is another network's or too small.</exception>
    public void ForwardStep(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, ReadOnlySpan<bool> reset, Span<float> state, int step,
        UnrollWorkspace workspace)
    {
        var (memory, environments) = (workspace.Memory, reset.Length);
        CheckUnroll(parameters, observations, reset, state, environments, memory);
        if (step < 0 || step >= workspace.MaxSteps)
            throw new ArgumentOutOfRangeException(nameof(step), step, $"The workspace holds steps 0 to {workspace.MaxSteps - 1}.");
        if (step > 0 && memory.Training && (step > memory.Steps || environments != memory.Environments))
            throw new ArgumentException(
                $"Step {step} of {environments} environments does not go on from {memory.Steps} steps of {memory.Environments}.",
                nameof(step));
        (memory.Environments, memory.Steps) = (environments, step + 1);
        if (step == 0 || !memory.Training) Prepare(parameters, memory);
        Forward(parameters, observations, reset, state, step * environments, environments, memory);
    }

    /// <summary>All steps of B environments at once; the outputs are the workspace's at each step.</summary>
    /// <param name="observations">[steps × B × Observation.ByteCount].</param>
    /// <param name="reset">[steps × B].</param>
    /// <param name="initialState">[B × StateSize], before step 0.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the workspace is another network's or too small.</exception>
    public void ForwardUnroll(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, ReadOnlySpan<bool> reset, ReadOnlySpan<float> initialState,
        int steps, UnrollWorkspace workspace)
    {
        if (steps <= 0 || steps > workspace.MaxSteps)
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The workspace holds 1 to {workspace.MaxSteps} steps.");
        var (memory, environments) = (workspace.Memory, reset.Length / steps);
        CheckLength(reset.Length, steps * environments, nameof(reset), "steps × B");
        CheckUnroll(parameters, observations, reset, initialState, environments, memory);
        (memory.Environments, memory.Steps) = (environments, steps);
        var state = memory.State.AsSpan(0, initialState.Length);
        initialState.CopyTo(state);
        Prepare(parameters, memory);
        Forward(parameters, observations, reset, state, 0, reset.Length, memory);
    }

    private protected NetworkMemory CreateMemory(int maxRows, int maxEnvironments, bool training) =>
        new(this, _torso, _lstm, Heads, maxRows, maxEnvironments, training);

    /// <summary>For batches of single samples.</summary>
    private protected NetworkMemory CreateBatchMemory(int maxBatch, bool training)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        if (_lstm is not null)
            throw new NotSupportedException(
                $"This network has an LSTM of {_lstm.Units} units: its passes go over unrolls, with {nameof(CreateUnrollWorkspace)}.");
        return CreateMemory(maxBatch, maxBatch, training);
    }

    private protected void ForwardBatch(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, int batch, NetworkMemory memory)
    {
        CheckOwner(memory);
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        if (batch < 0 || batch > memory.MaxRows)
            throw new ArgumentOutOfRangeException(nameof(batch), batch, $"The workspace holds batches of 0 to {memory.MaxRows}.");
        CheckLength(observations.Length, batch * Observation.ByteCount, nameof(observations), "batch × ByteCount");
        (memory.Environments, memory.Steps) = (batch, 1);
        if (batch == 0) return;
        Prepare(parameters, memory);
        Forward(parameters, observations, default, default, 0, batch, memory);
    }

    /// <summary>Checks a backward pass over an unroll's first steps.</summary>
    /// <returns>Their rows.</returns>
    private protected int CheckSteps(int steps, NetworkMemory memory)
    {
        CheckOwner(memory);
        if (steps < 0 || steps > memory.Steps)
            throw new ArgumentException(
                $"There are activations of {memory.Steps} steps, not {steps}; a forward pass serves one backward pass.", nameof(steps));
        return steps * memory.Environments;
    }

    /// <summary>Checks a backward pass over a batch's first samples.</summary>
    private protected void CheckBatch(int batch, NetworkMemory memory)
    {
        CheckOwner(memory);
        if (batch < 0 || batch > memory.Environments)
            throw new ArgumentException($"The batch is {batch}, but that of the last forward pass was {memory.Environments}.",
                nameof(batch));
    }

    private protected void CheckBackward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> gradient, ReadOnlySpan<float> byActionGradient, int rows, NetworkMemory memory,
        string byActionName)
    {
        if (!memory.Training)
            throw new ArgumentException("This workspace was created for acting; create it with training: true.", "workspace");
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        CheckLength(gradient.Length, Layout.Count, nameof(gradient), "Layout.Count");
        CheckLength(byActionGradient.Length, rows * Actions, byActionName, "rows × Actions");
    }

    /// <summary>From the gradient at the heads' outputs, in memory.Heads.Output, to all parameters'; uses up the unroll.</summary>
    private protected void BackwardFromHeads(ReadOnlySpan<float> parameters, int rows, NetworkMemory memory, Span<float> gradient)
    {
        var torso = memory.Torso;
        var features = torso.Features.AsSpan(0, rows * _torso.Features);
        var featureGradient = torso.FeatureGradient.AsSpan(0, features.Length);
        if (_lstm is null)
        {
            Heads.Backward(features, rows, featureGradient, gradient, memory.Heads);
        }
        else
        {
            var outputGradient = memory.RecurrentGradient.AsSpan(0, rows * _lstm.Units);
            Heads.Backward(memory.Recurrent.AsSpan(0, rows * _lstm.Units), rows, outputGradient, gradient, memory.Heads);
            var stateGradient = memory.Lstm!.StateGradient.AsSpan(0, memory.Environments * StateSize);
            stateGradient.Clear();
            _lstm.Backward(
                parameters, features, outputGradient, stateGradient, toInitialState: false, featureGradient, gradient, memory.Lstm);
        }
        _torso.Backward(parameters, rows, torso, gradient);
        memory.Steps = 0;
    }

    /// <summary>Makes the network's outputs of rows of memory.Heads.Output.</summary>
    private protected abstract void ReadHeads(int firstRow, int rows, NetworkMemory memory);

    private protected static void CheckLength(int length, int expected, string name, string meaning)
    {
        if (length != expected) throw new ArgumentException($"{name} has the length {length}; needed is {meaning} = {expected}.", name);
    }

    private void Prepare(ReadOnlySpan<float> parameters, NetworkMemory memory)
    {
        _torso.Prepare(parameters, memory.Torso);
        Heads.Prepare(parameters, memory.Heads);
    }

    private void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, ReadOnlySpan<bool> reset, Span<float> state, int firstRow,
        int rows, NetworkMemory memory)
    {
        if (Normalizer is not null) observations = Normalizer.Normalize(parameters, observations, memory.Normalized, memory.Factors);
        _torso.Forward(parameters, observations, firstRow, rows, memory.Torso);
        ReadOnlySpan<float> features = memory.Torso.Features.AsSpan(firstRow * _torso.Features, rows * _torso.Features);
        if (_lstm is not null)
        {
            var output = memory.Recurrent.AsSpan(firstRow * _lstm.Units, rows * _lstm.Units);
            _lstm.Forward(parameters, features, reset, state, output, firstRow, memory.Lstm!);
            features = output;
        }
        Heads.Forward(features, firstRow, rows, memory.Heads);
        ReadHeads(firstRow, rows, memory);
    }

    private void CheckUnroll(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, ReadOnlySpan<bool> reset, ReadOnlySpan<float> state,
        int environments, NetworkMemory memory)
    {
        CheckOwner(memory);
        CheckLength(parameters.Length, Layout.Count, nameof(parameters), "Layout.Count");
        if (environments == 0 || environments > memory.MaxEnvironments)
            throw new ArgumentException($"The workspace holds 1 to {memory.MaxEnvironments} environments, not {environments}.",
                nameof(reset));
        CheckLength(observations.Length, reset.Length * Observation.ByteCount, nameof(observations), "steps × B × ByteCount");
        CheckLength(state.Length, environments * StateSize, nameof(state), "B × StateSize");
    }

    private void CheckOwner(NetworkMemory memory)
    {
        if (!ReferenceEquals(memory.Owner, this))
            throw new ArgumentException("The workspace was created by another network.", "workspace");
    }
}

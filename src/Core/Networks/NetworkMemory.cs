using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>What passes through an <see cref="AgentNetwork"/> keep, for one thread; rows are ordered [step][environment].</summary>
internal sealed class NetworkMemory
{
    public NetworkMemory(AgentNetwork owner, Torso torso, Lstm? lstm, LinearHeads heads, int maxRows, int maxEnvironments, bool training)
    {
        (Owner, MaxRows, MaxEnvironments, Training) = (owner, maxRows, maxEnvironments, training);
        Torso = torso.CreateBuffers(maxRows, training);
        Lstm = lstm?.CreateBuffers(maxRows, maxEnvironments, training);
        var units = lstm?.Units ?? 0;
        Recurrent = new AlignedFloats(maxRows * units);
        RecurrentGradient = new AlignedFloats(training ? maxRows * units : 0);
        State = new AlignedFloats(maxEnvironments * owner.StateSize);
        Heads = heads.CreateBuffers(maxRows, training);
        ByAction = new float[maxRows * owner.Actions];
        Values = new float[owner is PolicyValueNetwork ? maxRows : 0];
        var normalized = owner.Normalizer?.Size ?? 0;
        (Normalized, Factors) = (new float[maxRows * normalized], new float[normalized]);
    }

    public AgentNetwork Owner { get; }

    public int MaxRows { get; }

    public int MaxEnvironments { get; }

    public bool Training { get; }

    public TorsoBuffers Torso { get; }

    public LstmBuffers? Lstm { get; }

    /// <summary>[maxRows × H]: the LSTM's output, empty without one.</summary>
    public AlignedFloats Recurrent { get; }

    /// <summary>[maxRows × H].</summary>
    public AlignedFloats RecurrentGradient { get; }

    /// <summary>[maxEnvironments × StateSize]: the running state of a pass over several steps.</summary>
    public AlignedFloats State { get; }

    public HeadBuffers Heads { get; }

    /// <summary>[maxRows × A]: logits or action values.</summary>
    public float[] ByAction { get; }

    /// <summary>[maxRows], of a policy.</summary>
    public float[] Values { get; }

    /// <summary>Observations as the torso sees them, and what they were multiplied by; empty where the network takes them as they are.</summary>
    public float[] Normalized { get; }

    public float[] Factors { get; }

    /// <summary>B of the last pass.</summary>
    public int Environments { get; set; }

    /// <summary>Steps whose activations are kept and not yet used by a backward pass.</summary>
    public int Steps { get; set; }

    /// <summary>This, if its outputs are those of such a network.</summary>
    public NetworkMemory Of<TNetwork>() => Owner is TNetwork
        ? this
        : throw new InvalidOperationException($"The workspace is that of a {Owner.GetType().Name}, not of a {typeof(TNetwork).Name}.");
}

using Akka.Actor;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Engines;

/// <summary>Remembers the weights that were published, and compares what arrives with them.</summary>
/// <param name="violated">Told what is wrong, each time.</param>
internal sealed class WeightBooks(Action<string> violated)
{
    private const int RememberedVersions = 512;

    private readonly Dictionary<ParameterVersion, float[]> _weights = [];
    private readonly Queue<ParameterVersion> _versions = new();

    /// <summary>The version that was published last.</summary>
    public ParameterVersion Newest { get; private set; }

    /// <summary>Another owner begins.</summary>
    public void Clear()
    {
        Newest = default;
        _weights.Clear();
        _versions.Clear();
    }

    public void Publish(ParameterSnapshot snapshot, int epoch)
    {
        if (snapshot.Version.Epoch != epoch || (_versions.Count > 0 && snapshot.Version <= Newest))
            violated($"Versions grow: {snapshot.Version} was published after {Newest}, in epoch {epoch}.");
        Newest = snapshot.Version;
        _weights[Newest] = (float[])snapshot.Values.Clone();
        _versions.Enqueue(Newest);
        if (_versions.Count > RememberedVersions) _weights.Remove(_versions.Dequeue());
    }

    public void Receive(ActorPath path, ParametersChunk chunk, int epoch)
    {
        if (chunk.Version.Epoch == epoch && chunk.Version > Newest)
            violated($"Versions are those of the run: {path} hears of {chunk.Version}, {Newest} is the newest.");
        if (_weights.TryGetValue(chunk.Version, out var weights)
            && !chunk.Values.Span.SequenceEqual(weights.AsSpan(chunk.Offset, chunk.Values.Length)))
            violated($"Weights arrive as they were published: {chunk.Version} differs at {path}.");
    }
}

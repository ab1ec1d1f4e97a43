using Akka.Actor;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>Brings the newest weights to one other node: one version at a time, in chunks of which a few are on their way.</summary>
/// <remarks>A plain object for one thread. What is on its way is bounded; a node that is slow gets fewer versions, not older ones.
/// Where an answer stays away, the version is given up and the newest begun; its buffer goes to the garbage collector,
/// because the chunks on their way may still be read.</remarks>
internal sealed class ParameterLink(IActorRef cache, ParameterServerOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly int _chunkLength = options.ChunkKilobytes * 1024 / sizeof(float);
    private ParameterSnapshot? _snapshot;
    private ParameterVersion? _delivered;
    private TimeSpan _progressAt;
    private int _sent, _received;

    /// <summary>Begins to send the newest version where it is news and nothing else is under way.</summary>
    public void Update(ParameterSnapshot newest, TimeSpan now)
    {
        if (_snapshot is not null && now - _progressAt > Patience) _snapshot = null;
        if (_snapshot is not null || newest.Version <= _delivered) return;
        newest.Retain();
        (_snapshot, _sent, _received, _progressAt) = (newest, 0, 0, now);
        SendChunks();
    }

    public void OnReceived(ParametersReceived message, TimeSpan now)
    {
        if (_snapshot is not { } snapshot || message.Version != snapshot.Version || message.Count <= _received || message.Count > _sent) return;
        (_received, _progressAt) = (message.Count, now);
        if (_received < snapshot.Values.Length)
        {
            SendChunks();
            return;
        }
        (_delivered, _snapshot) = (snapshot.Version, null);
        snapshot.Release();
    }

    private void SendChunks()
    {
        var (values, version) = (_snapshot!.Values, _snapshot.Version);
        while (_sent < values.Length && _sent - _received < (long)options.ChunksInFlight * _chunkLength)
        {
            var length = ChunkSequence<ParameterVersion>.LengthAt(_sent, values.Length, _chunkLength);
            cache.Tell(new ParametersChunk(version, values.Length, _sent, values.AsMemory(_sent, length)));
            _sent += length;
        }
    }
}

using System.Buffers;
using MessagePack;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Http;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Which messages cross the wire, under which number, and how. Nothing that is received names a type.</summary>
/// <remarks>Thread-safe. A number, once used, keeps its meaning; whoever changes a message's form raises <see cref="Version"/>.</remarks>
internal sealed class WireTable
{
    /// <summary>Nodes of different versions refuse each other.</summary>
    public const int Version = 4;

    private const int MaxId = byte.MaxValue, InsertUnrollId = 2, ParametersChunkId = 11, PushGradientId = 17, TransitionsDrawnId = 22,
        StateChunkId = 33;

    private readonly Entry?[] _byId = new Entry?[MaxId + 1];
    private readonly Dictionary<Type, int> _ids = [];

    /// <param name="pool">Gives the buffers of the unrolls that are read.</param>
    public WireTable(UnrollPool pool)
    {
        Add(1, ReplayCodecs.Write, ReplayCodecs.ReadRegisterWorker);
        Add(InsertUnrollId, ReplayCodecs.Write, (ref reader) => ReplayCodecs.ReadInsertUnroll(ref reader, pool));
        Add(5, ReplayCodecs.Write, ReplayCodecs.ReadCreditsGranted);
        Add(6, ReplayCodecs.Write, ReplayCodecs.ReadCreditReturned);
        Add(8, ParameterCodecs.Write, ParameterCodecs.ReadSubscribeParameters);
        Add(9, WorkerCodecs.Write, WorkerCodecs.ReadWorkerReport);
        Add(10, ParameterCodecs.Write, ParameterCodecs.ReadParametersReceived);
        Add(ParametersChunkId, ParameterCodecs.Write, ParameterCodecs.ReadParametersChunk);
        Add(12, ClusterCodecs.Write, ClusterCodecs.ReadOfferWorkers);
        Add(13, ClusterCodecs.Write, ClusterCodecs.ReadWorkAssigned);
        Add(14, ClusterCodecs.Write, ClusterCodecs.ReadWorkFailed);
        Add(15, ClusterCodecs.Write, ClusterCodecs.ReadStopWork);
        Add(16, ClusterCodecs.Write, ClusterCodecs.ReadWorkStopped);
        Add(PushGradientId, GradientCodecs.Write, GradientCodecs.ReadPushGradient);
        Add(18, GradientCodecs.Write, GradientCodecs.ReadGradientAcknowledged);
        Add(19, GradientCodecs.Write, GradientCodecs.ReadRegisterLearner);
        Add(20, GradientCodecs.Write, GradientCodecs.ReadLearnerRegistered);
        Add(21, TransitionCodecs.Write, TransitionCodecs.ReadRequestTransitions);
        Add(TransitionsDrawnId, TransitionCodecs.Write, TransitionCodecs.ReadTransitionsDrawn);
        Add(30, ShardCodecs.Write, ShardCodecs.ReadOfferShards);
        Add(31, ShardCodecs.Write, ShardCodecs.ReadStartShard);
        Add(32, ShardCodecs.Write, ShardCodecs.ReadShardStarted);
        Add(StateChunkId, ShardCodecs.Write, ShardCodecs.ReadStateChunk);
        Add(34, ShardCodecs.Write, ShardCodecs.ReadStateReceived);
        Add(35, ShardCodecs.Write, ShardCodecs.ReadShardReport);
        Add(36, ShardCodecs.Write, ShardCodecs.ReadStopShard);
        Add(37, ShardCodecs.Write, ShardCodecs.ReadSaveShard);
        Add(38, ShardCodecs.Write, ShardCodecs.ReadWhereAreShards);
        Add(39, ShardCodecs.Write, ShardCodecs.ReadShardPlaces);
        Add(40, ShardEndedCodec.Write, ShardEndedCodec.Read);
    }

    private delegate void Writing<in T>(ref MessagePackWriter writer, T message);

    private delegate T Reading<out T>(ref MessagePackReader reader);

    /// <summary>What a message's bytes count as.</summary>
    public static LinkContent ContentOf(int id) => id switch
    {
        InsertUnrollId or TransitionsDrawnId => LinkContent.Experience,
        ParametersChunkId or StateChunkId => LinkContent.Weights,
        PushGradientId => LinkContent.Gradients,
        _ => LinkContent.Other,
    };

    /// <summary>The types in the table, each with its number.</summary>
    public IReadOnlyDictionary<Type, int> Ids => _ids;

    /// <summary>False where the message must not leave its process.</summary>
    public bool TryGetId(object message, out int id) => _ids.TryGetValue(message.GetType(), out id);

    /// <summary>Appends the message. Its large arrays may be taken by reference: they must not change until it has left.</summary>
    public void Write(int id, object message, IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        Find(id).Write(ref writer, message);
        writer.Flush();
    }

    /// <summary>The message of exactly these bytes, none of which it keeps.</summary>
    /// <exception cref="MessagePackSerializationException">The number has no meaning here, or the bytes are no such message.</exception>
    /// <exception cref="EndOfStreamException">The bytes end too early.</exception>
    /// <exception cref="OverflowException">A number does not fit.</exception>
    public object Read(int id, in ReadOnlySequence<byte> body)
    {
        var reader = new MessagePackReader(body);
        var message = Find(id).Read(ref reader);
        return reader.End ? message
            : throw new MessagePackSerializationException($"{message.GetType().Name} ended after {reader.Consumed} of {body.Length} bytes.");
    }

    private Entry Find(int id) => (uint)id <= MaxId && _byId[id] is { } entry ? entry
        : throw new MessagePackSerializationException($"Wire version {Version} has no message {id}.");

    private void Add<T>(int id, Writing<T> write, Reading<T> read)
        where T : class
    {
        if (id is < 1 or > MaxId || _byId[id] is not null) throw new ArgumentException($"Number {id} is taken or out of range.");
        _ids.Add(typeof(T), id);
        _byId[id] = new Entry<T>(write, read);
    }

    private abstract class Entry
    {
        public abstract void Write(ref MessagePackWriter writer, object message);

        public abstract object Read(ref MessagePackReader reader);
    }

    private sealed class Entry<T>(Writing<T> write, Reading<T> read) : Entry
        where T : class
    {
        public override void Write(ref MessagePackWriter writer, object message) => write(ref writer, (T)message);

        public override object Read(ref MessagePackReader reader) => read(ref reader);
    }
}

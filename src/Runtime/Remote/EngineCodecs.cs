using System.Collections.Frozen;
using Akka.Actor;
using MessagePack;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Membership;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>The engine's own messages on the wire, by id: 1 to 31 of remoting, 32 to 63 of membership.</summary>
internal static class EngineCodecs
{
    private static readonly EngineCodec[] All =
    [
        new EndsCodec<Watch>(1, _ => false, (c, _) => new Watch(c.Recipient, Sender(c))),
        new EndsCodec<Unwatch>(2, _ => false, (c, _) => new Unwatch(c.Recipient, Sender(c))),
        new EndsCodec<DeathNotice>(3, m => m.ExistenceConfirmed, (c, existed) => new DeathNotice(Sender(c), existed)),
        new EndsCodec<Terminate>(4, _ => false, (_, _) => Terminate.Instance),
        new EndsCodec<PoisonPill>(5, _ => false, (_, _) => PoisonPill.Instance),
        new EndsCodec<Kill>(6, _ => false, (_, _) => Kill.Instance),
        new NestingCodec<Identify>(7, (_, _) => null, m => m.MessageId, (_, _, id) => new Identify(id)),
        new NestingCodec<ActorIdentity>(8, SubjectOf, m => m.MessageId, (c, path, id) => new ActorIdentity(id, Subject(c, path))),
        new NestingCodec<SelectionEnvelope>(9, (_, m) => string.Join('/', m.Elements), m => m.Message, Selection),
        new NestingCodec<Status.Success>(10, (_, _) => null, m => m.Status, (_, _, status) => new Status.Success(status)),
        new NestingCodec<Status.Failure>(11, (_, m) => m.Cause?.Message, _ => null, Failure),
        new PlainCodec<string>(12, (ref MessagePackWriter w, string m) => w.Write(m), (ref MessagePackReader r) => r.ReadString()),
        new PlainCodec<int>(13, (ref MessagePackWriter w, int m) => w.Write(m), (ref MessagePackReader r) => r.ReadInt32()),
        new PlainCodec<long>(14, (ref MessagePackWriter w, long m) => w.Write(m), (ref MessagePackReader r) => r.ReadInt64()),
        .. MembershipCodecs.All,
    ];

    public static FrozenDictionary<Type, EngineCodec> ByType { get; } = All.ToFrozenDictionary(codec => codec.Type);

    /// <summary>Null where there is none.</summary>
    public static EngineCodec[] ById { get; } =
        [.. Enumerable.Range(0, RemoteHub.FirstProgramId).Select(id => All.SingleOrDefault(codec => codec.Id == id))];

    private static InternalActorRefBase Sender(in WireContext context) =>
        context.Sender as InternalActorRefBase ?? throw new MessagePackSerializationException("A system message names no sender.");

    private static string SubjectOf(RemoteHub hub, ActorIdentity identity) =>
        identity.Subject is null ? null : hub.PathOf(identity.Subject);

    private static IActorRef Subject(in WireContext context, string path) => context.Hub.SenderOf(context.Peer, path);

    private static SelectionEnvelope Selection(WireContext context, string path, object message) =>
        path is null || message is null or SelectionEnvelope
            ? throw new MessagePackSerializationException("A selection of nothing.")
            : new SelectionEnvelope(path.Split('/'), message);

    private static Status.Failure Failure(WireContext context, string text, object nothing) =>
        new(text is null ? null : new RemoteFailure(text));
}

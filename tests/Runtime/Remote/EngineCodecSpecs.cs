using System.Buffers;
using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>The engine's own messages as bytes.</summary>
public sealed class EngineCodecSpecs : IDisposable
{
    private static readonly Address Peer = Address.Parse("akka.tcp://peer@127.0.0.1:1");

    private readonly SimulatedRemoteHarness _at = new(1);
    private readonly RemoteHub _hub;
    private readonly LocalActorRef _local;
    private readonly IActorRef _remote;

    public EngineCodecSpecs()
    {
        _hub = RemoteHarness.HubOf(_at.System);
        _local = (LocalActorRef)_at.ActOn(_at.System, act => act.OnAny(_ => { }), "local");
        _remote = _hub.SenderOf(Peer, "/user/x#7");
    }

    public static TheoryData<object> Messages =>
    [
        PoisonPill.Instance, Kill.Instance, new Identify(null), new Identify("which"), new Identify(new Identify(3)),
        new Status.Success(null), new Status.Success(5L), new Status.Failure(new FormatException("text")), new Status.Failure(null),
        new SelectionEnvelope(["user", "..", "*"], new Note("to many")), new SelectionEnvelope(["user"], new Identify(1)), "text", "", 42,
            -1L,
    ];

    [Theory, MemberData(nameof(Messages))]
    public void A_message_comes_back_as_it_was(object message) => Assert.Equal(Describe(message), Describe(RoundTrip(message)));

    [Fact]
    public void System_messages_name_both_ends_by_the_frame()
    {
        var watch = (Watch)RoundTrip(new Watch(_local, _local));
        Assert.Equal<IActorRef>(_local, watch.Watchee);
        Assert.Equal(_remote, watch.Watcher);
        var notice = (DeathNotice)RoundTrip(new DeathNotice(_local, existenceConfirmed: true));
        Assert.Equal(_remote, notice.Actor);
        Assert.Equal((true, false), (notice.ExistenceConfirmed, notice.AddressTerminated));
        Assert.IsType<Terminate>(RoundTrip(Terminate.Instance));
        Assert.ThrowsAny<Exception>(() => Read(1, Bytes(new Watch(_local, _local), out _), sender: null));
    }

    [Fact]
    public void An_identity_travels_as_a_path()
    {
        // The peer's own short paths are read as the peer's; ours are short when we write them.
        var read = (ActorIdentity)RoundTrip(new ActorIdentity("it", _local));
        Assert.Equal(Peer + _local.Path.ToStringWithoutAddressWithUid(), read.Subject.Path.ToStringWithUid());
        Assert.Equal(_remote, ((ActorIdentity)RoundTrip(new ActorIdentity("it", _remote))).Subject);
        Assert.Null(((ActorIdentity)RoundTrip(new ActorIdentity("it", null))).Subject);
    }

    [Fact]
    public void What_holds_a_message_without_a_codec_has_none()
    {
        Assert.False(_hub.TryGetId(new Homebound("x"), out _));
        Assert.False(_hub.TryGetId(new Identify(new Homebound("x")), out _));
        Assert.False(_hub.TryGetId(new SelectionEnvelope(["user"], new Status.Success(new Homebound("x"))), out _));
        Assert.True(_hub.TryGetId(new SelectionEnvelope(["user"], new Note("x")), out _));
    }

    [Fact]
    public void Bytes_that_are_no_message_are_refused()
    {
        var text = Bytes("text", out var id);
        Assert.ThrowsAny<Exception>(() => Read(id, text[..^1]));
        Assert.ThrowsAny<Exception>(() => Read(id, [.. text, 0]));
        Assert.ThrowsAny<Exception>(() => Read(0, text));
        Assert.ThrowsAny<Exception>(() => Read(31, text));
        Assert.ThrowsAny<Exception>(() => Read(-5, text));
        object deep = new Identify(null);
        for (var i = 0; i < 1000; i++) deep = new Identify(deep);
        Assert.ThrowsAny<Exception>(() => Read(7, Bytes(deep, out _)));
        Assert.ThrowsAny<Exception>(() => RoundTrip(new SelectionEnvelope(["user"], Terminate.Instance)));
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var noise = new byte[random.Next(40)];
            random.NextBytes(noise);
            var kind = 1 + random.Next(14);
            Record.Exception(() => Read(kind, noise));
        }
    }

    [Fact]
    public void Nobody_speaks_for_another_system()
    {
        _hub.Connected(Peer, 1);
        var third = _hub.SenderOf(Address.Parse("akka.tcp://third@127.0.0.1:2"), "/user/y#8");
        foreach (var message in new SystemMessage[] { new Watch(_local, _local), new Unwatch(_local, _local),
            new DeathNotice(_local, true) })
        {
            var body = new ReadOnlySequence<byte>(Bytes(message, out var id));
            _hub.Deliver(Peer, 1, _local, _remote, id, body);
            Assert.ThrowsAny<Exception>(() => _hub.Deliver(Peer, 1, _local, third, id, body));
            Assert.ThrowsAny<Exception>(() => _hub.Deliver(Peer, 1, _local, _local, id, body));
            Assert.ThrowsAny<Exception>(() => _hub.Deliver(Peer, 1, _at.SystemImpl.Root, _remote, id, body));
        }
    }

    public void Dispose() => _at.Dispose();

    private static string Describe(object message) => message switch
    {
        Identify identify => $"Identify({Describe(identify.MessageId)})",
        Status.Success success => $"Success({Describe(success.Status)})",
        Status.Failure failure => $"Failure({failure.Cause?.Message})",
        SelectionEnvelope envelope => $"{string.Join('/', envelope.Elements)} <- {Describe(envelope.Message)}",
        _ => $"{message?.GetType()} {message}",
    };

    private object RoundTrip(object message) => Read(Bytes(message, out var id) is var bytes ? id : 0, bytes);

    private byte[] Bytes(object message, out int id)
    {
        Assert.True(_hub.TryGetId(message, out id));
        var output = new ArrayBufferWriter<byte>();
        _hub.Write(id, message, output);
        return output.WrittenSpan.ToArray();
    }

    private object Read(int id, byte[] body) => Read(id, body, _remote);

    private object Read(int id, byte[] body, IActorRef sender) =>
        _hub.Read(id, new WireContext(_hub, Peer, _local, sender, Depth: 0), new ReadOnlySequence<byte>(body));
}

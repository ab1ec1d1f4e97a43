using System.Buffers;
using Akka.Actor;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>What a hub takes and does not take from its transport.</summary>
public sealed class RemoteHubSpecs : IDisposable
{
    private static readonly Address Peer = Address.Parse("akka.tcp://peer@127.0.0.1:1");

    private readonly SimulatedRemoteHarness _at = new(1);
    private readonly RemoteHub _hub;
    private readonly Probe _probe;

    public RemoteHubSpecs()
    {
        _hub = RemoteHarness.HubOf(_at.System);
        _probe = _at.Probe();
    }

    [Fact]
    public void Messages_of_a_gone_incarnation_are_not_delivered()
    {
        _hub.Connected(Peer, 1);
        Deliver(1, "of the first");
        _hub.Connected(Peer, 2);
        Deliver(1, "of the first, late");
        Deliver(2, "of the second");
        _hub.AddressTerminated(Peer, 2);
        Deliver(2, "of the second, late");
        _hub.Connected(Peer, 3);
        Deliver(3, "of the third");
        foreach (var expected in new[] { "of the first", "of the second", "of the third" }) _probe.ExpectMsg(expected);
        _probe.ExpectNoMsg();
    }

    [Fact]
    public void An_incarnation_that_was_given_up_is_not_connected_by_what_was_on_its_way()
    {
        _hub.AddressTerminated(Peer, 1);
        _hub.Connected(Peer, 1);
        Assert.False(_hub.PeerOf(Peer).IsConnected);
        _hub.Connected(Peer, 2);
        Assert.True(_hub.PeerOf(Peer).IsConnected);
        _hub.AddressTerminated(Peer, 2);
        _hub.Connected(Peer, 2);
        Assert.True(_hub.PeerOf(Peer) is { IsConnected: false, IsTerminated: true });
        _hub.Connected(Peer, 3);
        Assert.True(_hub.PeerOf(Peer) is { IsConnected: true, IsTerminated: false, Uid: 3 });
    }

    public void Dispose() => _at.Dispose();

    private void Deliver(int uid, string text)
    {
        var body = new ArrayBufferWriter<byte>();
        Assert.True(_hub.TryGetId(text, out var id));
        _hub.Write(id, text, body);
        _hub.Deliver(Peer, uid, (InternalActorRefBase)_probe.Ref, null, id, new ReadOnlySequence<byte>(body.WrittenMemory));
    }
}

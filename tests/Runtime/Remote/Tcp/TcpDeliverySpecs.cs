using System.Buffers.Binary;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

public sealed class TcpDeliverySpecs
{
    [Fact]
    public void Small_messages_go_both_ways_on_one_connection()
    {
        using Side a = new("a"), b = new("b");
        b.Handler.Arrived = arrival => b.Send(arrival.Peer, arrival.Body, arrival.Sender, arrival.Recipient);
        a.Send(b, [1, 2, 3], "/user/x", "/user/y");
        var there = Assert.Single(b.Await(1));
        var back = Assert.Single(a.Await(1));
        Assert.Equal((a.Address, a.Transport.Uid, "/user/x", "/user/y"), (there.Peer, there.Uid, there.Recipient, there.Sender));
        Assert.Equal((b.Address, b.Transport.Uid, "/user/y", "/user/x"), (back.Peer, back.Uid, back.Recipient, back.Sender));
        Assert.Equal([1, 2, 3], back.Body);
        Assert.Equal([$"+{b.Transport.Uid}"], a.Handler.Reports);
        Assert.Equal([$"+{a.Transport.Uid}"], b.Handler.Reports);
    }

    [Fact]
    public void Order_is_kept_per_pair()
    {
        const int pairs = 3, each = 20_000;
        using Side a = new("a"), b = new("b");
        var senders = Enumerable.Range(0, pairs).Select(pair => new Thread(() =>
        {
            for (var i = 0; i < each; i++)
            {
                var body = new byte[i % 1000 == 7 ? 100_000 : 4];
                BinaryPrimitives.WriteInt32LittleEndian(body, i << 1);
                a.Send(b, body, $"/user/to{pair}", $"/user/from{pair}");
            }
        })).ToList();
        senders.ForEach(sender => sender.Start());
        senders.ForEach(sender => sender.Join());
        var arrivals = b.Await(pairs * each);
        for (var pair = 0; pair < pairs; pair++)
        {
            var numbers = arrivals.Where(arrival => arrival.Recipient == $"/user/to{pair}" && arrival.Sender == $"/user/from{pair}")
                .Select(arrival => BinaryPrimitives.ReadInt32LittleEndian(arrival.Body) >> 1);
            Assert.Equal(Enumerable.Range(0, each), numbers);
        }
        Assert.Equal(pairs * each, a.Counters.MessagesSent);
    }
}

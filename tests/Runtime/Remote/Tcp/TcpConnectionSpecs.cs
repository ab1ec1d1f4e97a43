using System.Buffers.Binary;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>Connections that break, fall silent, come back, or lead to another incarnation.</summary>
public sealed class TcpConnectionSpecs
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Fact]
    public void A_kept_peer_is_reported_as_it_comes_goes_and_comes_back_with_another_uid()
    {
        using var a = new Side("a");
        var b = new Side("b");
        var (address, first) = (b.Address, b.Transport.Uid);
        a.AsTransport.Keep(address);
        Side.Until(() => a.Handler.Reports.Count == 1, "It is not connected.");
        b.Stop();
        Side.Until(() => a.Handler.Reports.Count == 2, "It is not disconnected.");
        using var again = new Side("b", options => options with { BindPort = address.Port.Value });
        Assert.Equal(address, again.Address);
        Side.Until(() => a.Handler.Reports.Count == 3, "The new one is not connected.");
        Assert.Equal([$"+{first}", $"-{first} the peer stopped", $"+{again.Transport.Uid}"], a.Handler.Reports);
        a.Send(again, [1], "/user/x");
        Assert.Equal([1], Assert.Single(again.Await(1)).Body);
    }

    [Fact]
    public void What_waits_survives_a_cut_and_nobody_hears_of_it()
    {
        const int count = 2000;
        using var proxy = new Proxy();
        using var a = new Side("a", options => options with { ReconnectGrace = Side.Deadline });
        using var b = new Side("b", options => options with { Host = "127.0.0.1", Port = proxy.Port, ReconnectGrace = Side.Deadline });
        proxy.Target = b.Transport.LocalEndPoint.Port;
        a.Send(b, Numbered(0, 4));
        b.Await(1);
        for (var i = 1; i < count; i++)
        {
            if (i % 400 == 0) proxy.Cut();
            a.Send(b, Numbered(i, i % 100 == 3 ? 200_000 : 4), i % 100 == 3 ? "/bulk" : "/small");
        }
        Side.Until(() => a.Counters.MessagesSent + a.Counters.Dropped >= count, "Something still waits.");
        a.Send(b, [], "/last");
        Side.Until(() => b.Handler.Arrivals.Any(static arrival => arrival.Recipient == "/last"), "The last does not arrive.");
        Assert.Equal([$"+{b.Transport.Uid}"], a.Handler.Reports);
        Assert.Equal([$"+{a.Transport.Uid}"], b.Handler.Reports);
        foreach (var pair in b.Handler.Arrivals.Where(arrival => arrival.Recipient != "/last").GroupBy(arrival => arrival.Recipient))
        {
            var numbers = pair.Select(arrival => BinaryPrimitives.ReadInt32LittleEndian(arrival.Body)).ToArray();
            Assert.True(numbers.SequenceEqual(numbers.Order().Distinct()), "Out of order, or twice.");
        }
    }

    [Fact]
    public void Messages_queued_without_a_connection_arrive_when_there_is_one()
    {
        var b = new Side("b");
        var address = b.Address;
        b.Stop();
        using var a = new Side("a");
        for (var i = 0; i < 1000; i++) a.Send(address, Numbered(i, i % 50 == 0 ? 50_000 : 4));
        using var late = new Side("b", options => options with { BindPort = address.Port.Value });
        Assert.Equal(Enumerable.Range(0, 1000), late.Await(1000).Select(arrival => BinaryPrimitives.ReadInt32LittleEndian(arrival.Body)));
    }

    [Fact]
    public void A_peer_that_falls_silent_is_disconnected()
    {
        using Proxy toA = new(), toB = new();
        using var a = Behind(toA, "a");
        using var b = Behind(toB, "b");
        // A busy machine may be silent for longer than the limit: then the connection is made again.
        Side.Until(
            () =>
            {
                a.Send(b, [1]);
                return b.Handler.Arrivals.Count > 0 && a.Handler.Reports.Last()[0] == '+';
            },
            "Nothing arrives.");
        toA.FallSilent();
        toB.FallSilent();
        Side.Until(() => a.Handler.Reports.Last()[0] == '-' && b.Handler.Reports.Last()[0] == '-', "The silence is not noticed.");
        var (atA, atB) = (a.Handler.Reports.Last(), b.Handler.Reports.Last());
        Assert.StartsWith($"-{b.Transport.Uid} ", atA);
        Assert.StartsWith($"-{a.Transport.Uid} ", atB);
        Assert.True(atA.EndsWith("silent for 0.3 s") || atB.EndsWith("silent for 0.3 s"), $"{atA}; {atB}"); // who notices first, cuts
    }

    [Fact]
    public void Heartbeats_keep_an_idle_connection()
    {
        using var a = new Side("a", options => options with { SilenceLimit = Short });
        using var b = new Side("b", options => options with { SilenceLimit = Short });
        a.Send(b, [1]);
        b.Await(1);
        var before = a.Counters.BytesReceived;
        Side.Until(() => a.Counters.BytesReceived >= before + (4 * 20), "There are no heartbeats.");
        Assert.Single(a.Handler.Reports);
        Assert.Single(b.Handler.Reports);
    }

    [Fact]
    public void A_connection_that_breaks_for_good_is_reported_after_the_grace()
    {
        using Proxy toA = new(), toB = new();
        using var a = Behind(toA, "a");
        using var b = Behind(toB, "b");
        a.Send(b, [1]);
        b.Await(1);
        toA.Dispose();
        toB.Dispose();
        Side.Until(() => a.Handler.Reports.Count == 2 && b.Handler.Reports.Count == 2, "The break is not noticed.");
        a.Send(b, [2]);
        Side.Until(() => a.Handler.Drops.Count == 1, "What waits for nobody is not dropped.");
        Assert.Equal(1, a.Counters.Dropped);
        Assert.Equal([2], (byte[])a.Handler.Drops.Single().Message.Message);
    }

    [Fact]
    public void A_quarantined_incarnation_stays_out_and_its_successor_may_come()
    {
        using var a = new Side("a");
        var b = new Side("b", options => options with { SilenceLimit = Short });
        var (address, first) = (b.Address, b.Transport.Uid);
        a.Send(b, [1]);
        b.Await(1);
        a.AsTransport.Keep(address);
        a.AsTransport.Quarantine(address, first);
        Side.Until(() => a.Handler.Reports.Count == 2 && b.Handler.Reports.Count == 2, "It is not disconnected.");
        b.Send(a, [2]);
        Side.Until(() => b.Handler.Drops.Count == 1, "It gets through.");
        Assert.Empty(a.Handler.Arrivals);
        b.Stop();
        using var again = new Side("b", options => options with { BindPort = address.Port.Value });
        Side.Until(() => a.Handler.Reports.Count == 3, "The new one is not connected.");
        Assert.Equal([$"+{first}", $"-{first} quarantined", $"+{again.Transport.Uid}"], a.Handler.Reports);
    }

    [Fact]
    public void What_is_sent_to_an_incarnation_after_its_quarantine_is_reported_as_dropped()
    {
        const int each = 10;
        using var a = new Side("a", options => options with { SilenceLimit = Short });
        var expected = new List<byte[]>();
        for (var round = 0; round < 4; round++)
        {
            using var b = new Side($"b{round}");
            a.AsTransport.Keep(b.Address);
            Side.Until(() => a.Handler.Reports.Contains($"+{b.Transport.Uid}"), "It is not connected.");
            a.AsTransport.Quarantine(b.Address, b.Transport.Uid);
            for (var i = 0; i < each; i++)
            {
                byte[] body = i % 3 == 2 ? new byte[100_000] : [1, (byte)round, (byte)i];
                expected.Add(body);
                a.Send(b, body);
            }
            Side.Until(() => a.Handler.Drops.Count >= expected.Count, $"{expected.Count - a.Handler.Drops.Count} are lost in silence.");
            Assert.Empty(b.Handler.Arrivals);
            a.AsTransport.Release(b.Address);
        }
        Assert.Equal(expected.ToHashSet(), a.Handler.Drops.Select(static drop => (byte[])drop.Message.Message).ToHashSet());
        Assert.Equal(expected.Count, a.Counters.Dropped);
    }

    [Fact]
    public void Who_is_called_by_another_name_than_it_advertises_is_not_reached_and_both_are_named()
    {
        using var a = new Side("a", options => options with { SilenceLimit = Short });
        using var b = new Side("b");
        var called = new Address("akka.tcp", "b", "localhost", b.Address.Port);
        a.Send(called, [1]);
        Side.Until(() => a.Handler.Drops.Count == 1, "It waits for ever.");
        Side.Until(() => a.Log.Any(line => line.Contains($"asked for {called}, found {b.Address}")), "The log does not say why.");
    }

    [Theory, InlineData(0), InlineData(1)]
    public void A_forgotten_peer_is_met_anew_though_the_other_side_remembers(int forgetful)
    {
        using Proxy toA = new(), toB = new();
        using var a = Behind(toA, "a", TimeSpan.FromMilliseconds(1));
        using var b = Behind(toB, "b", TimeSpan.FromMilliseconds(1));
        var transport = (forgetful == 0 ? a : b).Transport;
        for (var round = 1; round <= 3; round++)
        {
            a.AsTransport.Keep(b.Address);
            Side.Until(() => Count(a, '+') == round && Count(b, '+') == round, "They do not connect.");
            a.AsTransport.Release(b.Address);
            toA.Cut();
            toB.Cut();
            Side.Until(() => Count(a, '-') == round && Count(b, '-') == round, "The cut is not noticed.");
            Side.Until(() => transport.ForgetIdle() == 0, "It is not forgotten.");
        }

        static int Count(Side side, char sign) => side.Handler.Reports.Count(report => report[0] == sign);
    }

    [Fact]
    public void Stopping_sends_what_waits_and_says_goodbye()
    {
        using var b = new Side("b");
        var a = new Side("a");
        for (var i = 0; i < 5000; i++) a.Send(b, Numbered(i, i % 500 == 0 ? 300_000 : 4), i % 500 == 0 ? "/bulk" : "/small");
        a.Stop();
        Assert.Equal(5000, b.Await(5000).Length);
        Side.Until(() => b.Handler.Reports.Count == 2, "It is not disconnected.");
        Assert.Equal([$"+{a.Transport.Uid}", $"-{a.Transport.Uid} the peer stopped"], b.Handler.Reports);
        a.Send(b, [1]);
        Assert.Equal("this system stops", Assert.Single(a.Handler.Drops).Reason);
        Assert.Equal(0, a.Transport.Connections);
    }

    [Fact]
    public void Reports_of_one_peer_alternate_whatever_happens()
    {
        using Proxy toA = new(), toB = new();
        using var a = Behind(toA, "a", TimeSpan.FromMilliseconds(1));
        using var b = Behind(toB, "b", TimeSpan.FromMilliseconds(1));
        a.AsTransport.Keep(b.Address);
        b.AsTransport.Keep(a.Address);
        for (var round = 0; round < 8; round++)
        {
            var (atA, atB) = (a.Handler.Reports.Count, b.Handler.Reports.Count);
            foreach (var length in new[] { 1, 200_000, 2 })
            {
                a.Send(b, new byte[length]);
                b.Send(a, new byte[length]);
            }
            toA.Cut();
            toB.Cut();
            Side.Until(() => a.Handler.Reports.Count > atA && b.Handler.Reports.Count > atB, $"Nothing is reported in round {round}.");
        }
        foreach (var side in new[] { a, b })
        {
            var signs = string.Concat(side.Handler.Reports.Select(static report => report[0]));
            Assert.True(!signs.Contains("++") && !signs.Contains("--") && signs[0] == '+', signs);
        }
    }

    [Fact]
    public void Who_asks_for_a_connection_and_is_gone_before_the_answer_leaves_nothing()
    {
        using var a = new Side("a", options => options with { ReconnectGrace = TimeSpan.FromMilliseconds(1) });
        for (var round = 0; round < 20; round++)
        {
            using (var raw = new RawPeer(a)) raw.AskAndBreak(a, lost: 0);
            Side.Until(() => a.Transport.Connections == 0 && a.Transport.ForgetIdle() == 0, $"Something waits for it in round {round}.");
        }
    }

    [Fact]
    public void A_connection_that_is_replaced_while_it_is_announced_and_lost_then_has_its_grace()
    {
        using var a = new Side("a", options => options with { ReconnectGrace = Side.Deadline });
        using var gate = new ManualResetEventSlim();
        a.Handler.HasConnected = () => gate.Wait(Side.Deadline);
        using var first = new RawPeer(a).ShakeHands(a);
        using (var second = new RawPeer(a)) second.AskAndBreak(a, lost: 1);
        Side.Until(() => a.Transport.Connections <= 1, "Both connections stay.");
        gate.Set();
        Side.Until(() => a.Log.Any(static line => line.Contains("Cannot reach")) || a.Handler.Reports.Count > 1, "It is not tried.");
        Assert.True(a.Handler.Reports.Count == 1, string.Join(" | ", a.Handler.Reports.Concat(a.Log)));
    }

    private static Side Behind(Proxy proxy, string name, TimeSpan? grace = null)
    {
        var side = new Side(name, options => options with
        {
            Host = "127.0.0.1", Port = proxy.Port, SilenceLimit = Short, ReconnectGrace = grace ?? options.ReconnectGrace,
        });
        proxy.Target = side.Transport.LocalEndPoint.Port;
        return side;
    }

    private static byte[] Numbered(int number, int length)
    {
        var body = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(body, number);
        return body;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>Messages over connections that hold.</summary>
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
            for (var i = 0; i < each; i++) a.Send(b, Numbered(i, i % 1000 == 7 ? 100_000 : 4), $"/user/to{pair}", $"/user/from{pair}");
        })).ToList();
        senders.ForEach(sender => sender.Start());
        senders.ForEach(sender => sender.Join());
        var arrivals = b.Await(pairs * each);
        for (var pair = 0; pair < pairs; pair++)
        {
            var numbers = arrivals.Where(arrival => arrival.Recipient == $"/user/to{pair}" && arrival.Sender == $"/user/from{pair}")
                .Select(arrival => Number(arrival.Body));
            Assert.Equal(Enumerable.Range(0, each), numbers);
        }
        Side.Until(() => a.Counters.MessagesSent == pairs * each, "Sent messages are not counted.");
        Assert.Equal(pairs * each, b.Counters.MessagesReceived);
    }

    [Fact]
    public void A_bulk_message_is_overtaken_by_the_engine_and_by_other_pairs_but_not_by_its_own()
    {
        using Side a = new("a"), b = new("b");
        using var gate = new ManualResetEventSlim();
        b.Handler.Arrived = arrival =>
        {
            if (arrival.Recipient == "/gate") gate.Wait(Side.Deadline);
        };
        a.Send(b, [0], "/gate");
        Side.Until(() => a.Counters.MessagesSent == 1, "The first message does not leave.");
        a.Send(b, [1], "/user/bulk", "/user/me");
        a.Send(b, new byte[32 << 20], "/user/bulk", "/user/me");
        a.Send(b, [2], "/user/bulk", "/user/me");
        a.Send(b, new byte[100_000], "/user/bulk", "/user/me");
        a.Send(b, [3], "/user/bulk", "/user/me");
        a.Send(b, [4], "/user/other", "/user/me");
        a.Send(b, new byte[50_000], "/user/bulk", "/user/another");
        a.Send(b, [5], "/user/bulk", "/user/me", isSystem: true);
        gate.Set();
        var arrivals = b.Await(9).ToList();
        int At(Predicate<byte[]> body) => arrivals.FindIndex(arrival => body(arrival.Body));
        var bulk = At(static body => body.Length == 32 << 20);
        Assert.True(At(static body => body is [4]) < bulk);
        Assert.True(At(static body => body is [5]) < bulk);
        Assert.True(At(static body => body.Length == 50_000) < bulk);
        Assert.Equal(
            [1, 32 << 20, 1, 100_000, 1],
            arrivals.Where(static arrival => arrival is { Recipient: "/user/bulk", Sender: "/user/me", Body: not [5] })
                .Select(static arrival => arrival.Body.Length));
        Assert.Equal([1, 2, 3], arrivals.Where(arrival => arrival.Body is [1] or [2] or [3]).Select(arrival => (int)arrival.Body[0]));
    }

    [Fact]
    public void Traffic_of_all_sizes_in_both_directions_arrives_as_it_left()
    {
        const int count = 1500, pairs = 5;
        var seed = Environment.TickCount;
        using Side a = new("a"), b = new("b");
        var threads = new[] { (a, b, 0), (b, a, 1), (a, b, 2) }.Select(way => new Thread(() =>
        {
            var random = new Random(seed + way.Item3);
            for (var i = 0; i < count; i++)
            {
                var body = new byte[36 + (int)Math.Pow(2, random.NextDouble() * 19)];
                random.NextBytes(body.AsSpan(36));
                BinaryPrimitives.WriteInt32LittleEndian(body, i << 1);
                SHA256.HashData(body.AsSpan(36), body.AsSpan(4));
                way.Item1.Send(way.Item2, body, $"/user/{way.Item3}/{random.Next(pairs)}", random.Next(3) == 0 ? null : "/user/sender");
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        var arrivals = b.Await(2 * count).Concat(a.Await(count)).ToArray();
        Assert.All(arrivals, arrival =>
            Assert.True(SHA256.HashData(arrival.Body.AsSpan(36)).AsSpan().SequenceEqual(arrival.Body.AsSpan(4, 32)), $"seed {seed}"));
        foreach (var pair in arrivals.GroupBy(arrival => (arrival.Recipient, arrival.Sender)))
        {
            var numbers = pair.Select(arrival => Number(arrival.Body)).ToArray();
            Assert.True(numbers.SequenceEqual(numbers.Order().Distinct()), $"{pair.Key}, seed {seed}");
        }
        Assert.Equal(3 * count, arrivals.Length);
    }

    [Fact]
    public void More_paths_than_a_table_has_slots_are_told_apart()
    {
        const int paths = 10_000;
        using Side a = new("a"), b = new("b");
        for (var i = 0; i < paths; i++) a.Send(b, Numbered(i, 4), $"/user/to{i}", $"/temp/{i}");
        Assert.All(b.Await(paths), arrival =>
            Assert.Equal(($"/user/to{Number(arrival.Body)}", $"/temp/{Number(arrival.Body)}"), (arrival.Recipient, arrival.Sender)));
    }

    [Fact]
    public void Two_that_dial_each_other_at_once_use_one_connection_and_lose_nothing()
    {
        const int each = 100;
        for (var round = 0; round < 10; round++)
        {
            using Side a = new("a"), b = new("b");
            using var both = new Barrier(2);
            var threads = new[] { (From: a, To: b), (From: b, To: a) }.Select(way => new Thread(() =>
            {
                both.SignalAndWait();
                for (var i = 0; i < each; i++) way.From.Send(way.To, Numbered(i, 4));
            })).ToList();
            threads.ForEach(thread => thread.Start());
            Assert.Equal(Enumerable.Range(0, each), b.Await(each).Select(arrival => Number(arrival.Body)));
            Assert.Equal(Enumerable.Range(0, each), a.Await(each).Select(arrival => Number(arrival.Body)));
            Side.Until(() => a.Transport.Connections == 1 && b.Transport.Connections == 1, "A second connection stays.");
            Assert.Equal([$"+{b.Transport.Uid}"], a.Handler.Reports);
            Assert.Equal([$"+{a.Transport.Uid}"], b.Handler.Reports);
        }
    }

    [Fact]
    public void A_secret_and_certificates_change_nothing_for_messages()
    {
        using var certificates = new TestCertificates();
        Side Secured(string name) => new(name, options => options with { Secret = new byte[32], Tls = certificates.Node(name) });
        using Side a = Secured("a"), b = Secured("b");
        using var plain = new Side("c", options => options with { SilenceLimit = TimeSpan.FromMilliseconds(300) });
        b.Handler.Arrived = arrival => b.Send(arrival.Peer, arrival.Body, arrival.Sender, arrival.Recipient);
        // None of a single byte: one of 255 is no message to the fake handler.
        var bodies = new[] { 3, 1000, 40_000, 3 << 20, 2, 300_000 }.Select(RandomNumberGenerator.GetBytes).ToList();
        foreach (var body in bodies) a.Send(b, body, "/user/x", "/user/y");
        Assert.Equal(bodies, a.Await(bodies.Count).Select(static arrival => arrival.Body));
        var tries = 0;
        Side.Until(() => plain.Handler.Drops.Count == tries && (plain.Handler.Drops.Any(IsToldWhy) || TryAgain()), "It is not told why.");
        Assert.DoesNotContain(b.Handler.Arrivals, arrival => arrival.Peer == plain.Address);

        static bool IsToldWhy((Outbound Message, string Reason) drop) => drop.Reason.Contains("TLS");

        bool TryAgain()
        {
            tries++;
            plain.Send(b, [1]);
            return false;
        }
    }

    private static byte[] Numbered(int number, int length)
    {
        var body = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(body, number << 1);
        return body;
    }

    private static int Number(byte[] body) => BinaryPrimitives.ReadInt32LittleEndian(body) >> 1;
}

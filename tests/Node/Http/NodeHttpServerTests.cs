using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Http;

namespace Rl.Distributed.Node.Tests.Http;

public sealed class NodeHttpServerTests
{
    private static readonly HostPort Anywhere = new("127.0.0.1", 0);

    [Fact]
    public void Health_is_ok_with_state_roles_and_uptime()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        var answer = Get(server, "/health");
        Assert.Equal(200, answer.Status);
        using var json = JsonDocument.Parse(answer.Body);
        Assert.Equal("""{"status":"ok","state":"up","roles":["learner"],"uptimeSeconds":2.5,"reason":null}""", json.RootElement.GetRawText());
        Assert.Equal("application/json; charset=utf-8", answer.Headers["Content-Type"]);
    }

    [Fact]
    public void A_node_that_is_not_healthy_answers_503_with_the_reason()
    {
        var health = Samples.Health with { State = "joining", Unhealthy = "no seed answers" };
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages(health: () => health));
        var answer = Get(server, "/health?verbose=1");
        Assert.Equal(503, answer.Status);
        using var json = JsonDocument.Parse(answer.Body);
        Assert.Equal("no seed answers", json.RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public void Metrics_have_Prometheus_content_type()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        var answer = Get(server, "/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Headers["Content-Type"]);
        Assert.Equal(12_000, PrometheusText.Parse(answer.Body)["rl_frames_total"]);
    }

    [Fact]
    public async Task The_cluster_page_is_read_back_as_it_was()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        using var client = new NodeClient(TimeSpan.FromSeconds(10));
        var read = await client.ReadStatusAsync(server.Address, CancellationToken.None);
        Assert.Equal(JsonSerializer.Serialize(Samples.Status), JsonSerializer.Serialize(read));
    }

    [Theory]
    [InlineData("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404)]
    [InlineData("POST /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404)]
    [InlineData("POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 405)]
    [InlineData("GET /health HTTP/1.0\r\n\r\n", 200)]
    [InlineData("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 200)]
    [InlineData("GET /health HTTP/1.1\r\nHost: any.example:1\r\nX:\t\r\n\r\n", 200)]
    [InlineData("GET /health HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/1.1\r\nHost : a\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/1.1\r\nHost: \u0001\r\n\r\n", 400)]
    [InlineData("GET  /health HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET health HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("G(T /health HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /health\r\n\r\n", 400)]
    [InlineData("\r\n\r\n", 400)]
    [InlineData("PRI * HTTP/2.0\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/2.0\r\nHost: a\r\n\r\n", 505)]
    public void Requests_are_read_strictly(string request, int status)
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        var answer = Send(server.Address, request);
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 405, answer.Headers.ContainsKey("Allow"));
        Assert.Equal(answer.Body.Length.ToString(), answer.Headers["Content-Length"]);
    }

    [Fact]
    public void Head_gives_the_headers_of_a_page_alone()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        var answer = Send(server.Address, "HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Equal((200, ""), (answer.Status, answer.Body));
        Assert.True(int.Parse(answer.Headers["Content-Length"]) > 0);
    }

    [Fact]
    public void A_request_may_come_byte_by_byte()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        using var client = Connect(server.Address);
        client.NoDelay = true;
        foreach (var octet in "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray()) client.Client.Send([octet]);
        Assert.Equal(200, Read(client).Status);
    }

    [Fact]
    public void A_page_larger_than_the_buffers_between_arrives_whole_and_holds_up_nobody()
    {
        var status = Samples.Status with { Cluster = new string('x', 24 << 20) };
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages(status));
        using var client = Connect(server.Address);
        client.Client.Send("GET /cluster HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        Assert.Equal(200, Get(server, "/health").Status);
        var answer = Read(client);
        Assert.Equal(int.Parse(answer.Headers["Content-Length"]), answer.Body.Length);
    }

    [Fact]
    public void A_head_that_is_too_large_is_refused()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages(), new HttpLimits { MaxHeadBytes = 200 });
        Assert.Equal(431, Send(server.Address, $"GET /health HTTP/1.1\r\nHost: {new string('a', 1000)}\r\n\r\n").Status);
        Assert.Equal(200, Get(server, "/health").Status);
    }

    [Fact]
    public void A_request_that_does_not_end_is_given_up()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages(), new HttpLimits { MaxTime = TimeSpan.FromMilliseconds(100) });
        Assert.Equal(408, Send(server.Address, "GET /health HTTP/1.1\r\n").Status);
    }

    [Fact]
    public void Silent_clients_do_not_lock_others_out_and_the_oldest_goes_first()
    {
        using var server = NodeHttpServer.Start(
            Anywhere, Samples.Pages(), new HttpLimits { MaxConnections = 4, MaxTime = TimeSpan.FromMinutes(5) });
        var silent = Enumerable.Range(0, 12).Select(_ => Connect(server.Address)).ToList();
        Assert.Equal(200, Get(server, "/health").Status);
        Assert.Equal(0, silent[0].GetStream().Read(new byte[1]));
        silent[^1].Client.Send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        Assert.Equal(200, Read(silent[^1]).Status);
        foreach (var client in silent) client.Dispose();
    }

    [Fact]
    public void A_client_that_resets_its_connection_does_no_harm()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        for (var i = 0; i < 20; i++)
        {
            using var client = Connect(server.Address);
            client.LingerState = new LingerOption(true, 0);
            client.Client.Send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        }
        Assert.Equal(200, Get(server, "/health").Status);
    }

    [Fact]
    public void Random_bytes_are_answered_or_refused_and_the_server_goes_on()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var request = "GET /health HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"u8.ToArray();
            for (var change = 0; change < 3; change++) request[random.Next(request.Length - 4)] = (byte)random.Next(256);
            using var client = Connect(server.Address);
            client.Client.Send(request);
            Assert.Contains(Read(client).Status, (int[])[200, 400, 404, 405, 505]);
        }
    }

    [Fact]
    public void A_page_that_cannot_be_made_is_500_and_the_next_one_is_served()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages(health: () => throw new InvalidOperationException("why")));
        var answer = Get(server, "/health");
        Assert.Equal(500, answer.Status);
        Assert.Contains("why", answer.Body);
        Assert.Equal(200, Get(server, "/cluster").Status);
    }

    [Fact]
    public void Answers_come_within_100_ms_while_the_thread_pool_and_all_cores_are_busy()
    {
        using var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        Get(server, "/health");
        Get(server, "/metrics");
        var stop = false;
        using var ended = new CountdownEvent(4 * Environment.ProcessorCount);
        for (var i = 0; i < ended.InitialCount; i++)
        {
            ThreadPool.QueueUserWorkItem(_ =>
            {
                while (!Volatile.Read(ref stop)) Thread.SpinWait(100);
                ended.Signal();
            });
        }
        var times = new List<double>();
        for (var i = 0; i < 10; i++)
        {
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(200, Get(server, i % 2 == 0 ? "/health" : "/metrics").Status);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        Volatile.Write(ref stop, true);
        ended.Wait();
        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"median {times[5]:0.0} ms, longest {times[^1]:0.0} ms");
        Assert.True(times[5] < 100, $"median {times[5]:0} ms, longest {times[^1]:0} ms");
    }

    [Fact]
    public void A_port_in_use_is_named_with_its_cure_and_free_again_when_the_server_stops()
    {
        HostPort address;
        using (var server = NodeHttpServer.Start(Anywhere, Samples.Pages()))
        {
            address = server.Address;
            Get(server, "/health");
            var error = Assert.Throws<CommandFailedException>(() => NodeHttpServer.Start(address, Samples.Pages())).Message;
            Assert.Equal(
                $"--http {address}: another process listens on this port. Choose another port, or 0 for any that is free; `ss -ltnp` tells who has it.",
                error);
        }
        using var next = NodeHttpServer.Start(address, Samples.Pages());
        Assert.Equal(200, Get(next, "/health").Status);
    }

    [Theory]
    [InlineData("192.0.2.1:0", "this machine has no such address")]
    [InlineData("no..host:0", "there is no machine of this name")]
    public void An_address_that_is_not_here_is_refused(string address, string hint) => Assert.Contains(
        hint, Assert.Throws<CommandFailedException>(() => NodeHttpServer.Start(HostPort.Parse(address), Samples.Pages())).Message);

    [Theory]
    [InlineData("0.0.0.0:0", "127.0.0.1")]
    [InlineData("localhost:0", "127.0.0.1")]
    [InlineData("[::1]:0", "::1")]
    [InlineData("[::]:0", "127.0.0.1")]
    public void All_forms_of_addresses_are_served(string bind, string ask)
    {
        Assert.SkipWhen(bind.StartsWith('[') && !Socket.OSSupportsIPv6, "There is no IPv6 here.");
        using var server = NodeHttpServer.Start(HostPort.Parse(bind), Samples.Pages());
        Assert.Equal(200, Send(new HostPort(ask, server.Address.Port), "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").Status);
    }

    [Fact]
    public void It_stops_at_once_though_clients_stay()
    {
        var server = NodeHttpServer.Start(Anywhere, Samples.Pages());
        using var client = Connect(server.Address);
        var started = Stopwatch.GetTimestamp();
        server.Dispose();
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2));
        Assert.ThrowsAny<SocketException>(() => Connect(server.Address));
    }

    private static Answer Get(NodeHttpServer server, string path) => Send(server.Address, $"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    private static Answer Send(HostPort address, string request)
    {
        using var client = Connect(address);
        client.Client.Send(Encoding.Latin1.GetBytes(request));
        return Read(client);
    }

    private static TcpClient Connect(HostPort address)
    {
        var client = new TcpClient(address.Address!.AddressFamily) { ReceiveTimeout = 20_000 };
        client.Connect(address.Address, address.Port);
        return client;
    }

    private static Answer Read(TcpClient client)
    {
        using var all = new MemoryStream();
        client.GetStream().CopyTo(all);
        var text = Encoding.UTF8.GetString(all.ToArray());
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var lines = text[..end].Split("\r\n");
        Assert.StartsWith("HTTP/1.1 ", lines[0]);
        return new Answer(
            int.Parse(lines[0].Split(' ')[1]), lines.Skip(1).ToDictionary(line => line.Split(": ")[0], line => line.Split(": ")[1]), text[(end + 4)..]);
    }

    private sealed record Answer(int Status, Dictionary<string, string> Headers, string Body);
}

using System.Buffers.Binary;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>What a connection brought and was not delivered yet, when the next one comes or none may.</summary>
/// <remarks>The side that lags decides on connections: it has the smaller address.</remarks>
public sealed class TcpSuccessionSpecs : IDisposable
{
    private const int Behind = 500, SmallestFrame = 11, LongBytes = 100;

    private readonly ManualResetEventSlim _gate = new();
    private readonly Proxy _proxy = new();
    private readonly Side _slow;
    private volatile bool _isAtGate;

    public TcpSuccessionSpecs()
    {
        _slow = new Side("a", options => options with
        {
            Host = "127.0.0.1", Port = _proxy.Port, ReconnectGrace = Side.Deadline, SilenceLimit = Side.Deadline,
        });
        _proxy.Target = _slow.Transport.LocalEndPoint.Port;
        _slow.Handler.Arrived = arrival =>
        {
            if (Number(arrival) != 0) return;
            _isAtGate = true;
            _gate.Wait(Side.Deadline);
        };
    }

    [Fact]
    public void What_the_last_connection_brought_comes_before_what_the_next_one_brings()
    {
        using var fast = new Side("b", options => options with { ReconnectGrace = Side.Deadline });
        FillUp(fast);
        _proxy.Cut();
        Side.Until(() => fast.Log.Any(static line => line.Contains("Lost the connection")), "The cut is not noticed.");
        Send(fast, Behind);
        Side.Until(() => fast.Counters.MessagesSent == Behind + 1, "The new connection takes nothing while the last one is read.");
        _gate.Set();
        AssertInOrder(Behind);
        Assert.Equal([$"+{fast.Transport.Uid}"], _slow.Handler.Reports);
        Assert.Equal([$"+{_slow.Transport.Uid}"], fast.Handler.Reports);
    }

    [Fact]
    public void Connections_that_follow_each_other_are_read_in_their_order()
    {
        const int cuts = 3;
        using var fast = new Side("b", options => options with { ReconnectGrace = Side.Deadline });
        FillUp(fast);
        for (var cut = 0; cut < cuts; cut++)
        {
            Cut(fast);
            var passed = _proxy.Passed;
            Send(fast, Behind + cut, LongBytes);
            Side.Until(() => _proxy.Passed >= passed + LongBytes && _proxy.IsThrough, "It does not pass.");
        }
        _gate.Set();
        AssertInOrder(Behind + cuts - 1);
        Assert.Equal(cuts, _slow.Handler.Arrivals.Count(static arrival => Number(arrival) >= Behind));
    }

    [Fact]
    public void Nothing_more_is_taken_from_an_incarnation_after_its_successor_has_come()
    {
        var fast = new Side("b");
        var (first, port) = (fast.Transport.Uid, fast.Address.Port.Value);
        FillUp(fast);
        fast.Stop();
        using var again = new Side("b", options => options with { BindPort = port });
        Send(again, Behind);
        Side.Until(() => again.Counters.MessagesSent == 1, "The successor is not let in.");
        _gate.Set();
        Side.Until(() => _slow.Handler.Arrivals.Any(static arrival => Number(arrival) == Behind), "The successor is not heard.");
        _slow.Stop();
        Assert.Equal(
            [(first, 0), (again.Transport.Uid, Behind)], _slow.Handler.Arrivals.Select(static arrival => (arrival.Uid, Number(arrival))));
        Assert.Equal(
            [$"+{first}", $"-{first} another incarnation took its place", $"+{again.Transport.Uid}"], _slow.Handler.Reports.Take(3));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Nothing_more_is_taken_from_an_incarnation_after_its_quarantine(bool isCutBefore)
    {
        using var fast = new Side("b");
        FillUp(fast);
        if (isCutBefore) Cut(fast);
        _slow.AsTransport.Quarantine(fast.Address, fast.Transport.Uid);
        _gate.Set();
        Side.Until(() => _slow.Handler.Reports.Count == 2, "It is not disconnected.");
        Assert.Equal($"-{fast.Transport.Uid} quarantined", _slow.Handler.Reports.Last());
        Assert.Single(_slow.Handler.Arrivals);
        _slow.Stop();
        Assert.Single(_slow.Handler.Arrivals);
    }

    public void Dispose()
    {
        _gate.Set();
        _slow.Dispose();
        _proxy.Dispose();
        _gate.Dispose();
    }

    /// <summary>The first message is being delivered, the others wait behind it, on the slow side already.</summary>
    private void FillUp(Side fast)
    {
        Send(fast, 0);
        Side.Until(() => _isAtGate && fast.Counters.BytesReceived > 0, "The first message does not arrive.");
        var passed = _proxy.Passed;
        for (var i = 1; i < Behind; i++) Send(fast, i);
        Side.Until(() => _proxy.Passed >= passed + ((Behind - 1) * SmallestFrame) && _proxy.IsThrough, "They do not pass.");
    }

    /// <summary>Cuts, and waits for the slow side's heartbeat on the next connection: it writes there, though it does not read there
    /// yet.</summary>
    private void Cut(Side fast)
    {
        var received = fast.Counters.BytesReceived;
        _proxy.Cut();
        Side.Until(() => fast.Counters.BytesReceived > received, "There is no next connection.");
    }

    private void AssertInOrder(int last)
    {
        Side.Until(() => _slow.Handler.Arrivals.Any(arrival => Number(arrival) == last), "The last one does not arrive.");
        var numbers = _slow.Handler.Arrivals.Select(Number).ToArray();
        Assert.InRange(numbers.Length, (last + 1) * 9 / 10, last + 1); // where a path's slot takes two bytes some are not through
        Assert.Equal(numbers.Order().Distinct(), numbers);
        Assert.Equal(last, numbers[^1]);
    }

    private void Send(Side fast, int number, int length = sizeof(int))
    {
        var body = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(body, number);
        fast.Send(_slow, body);
    }

    private static int Number(Arrival arrival) => BinaryPrimitives.ReadInt32LittleEndian(arrival.Body);
}

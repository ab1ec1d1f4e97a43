using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>How a handshake ended on one side.</summary>
internal sealed record HandshakeOutcome(HandshakeResult? Result, HandshakeException Failure)
{
    public static HandshakeOutcome Of(Func<HandshakeResult> run)
    {
        try
        {
            return new HandshakeOutcome(run(), null);
        }
        catch (HandshakeException e)
        {
            return new HandshakeOutcome(null, e);
        }
    }
}

/// <summary>A connection over loopback whose two ends shake hands on a thread each.</summary>
internal sealed class HandshakePair : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public HandshakePair() => (DialerEnd, ListenerEnd) = Connect();

    public Stream DialerEnd { get; }
    public Stream ListenerEnd { get; }

    public static HandshakeOptions Side(string host, int uid, string secret = "a secret of sixteen bytes or more") => new()
    {
        Address = new Address("akka.tcp", "rl", host, 5000),
        Uid = uid,
        WireVersion = 3,
        ClusterName = "rl",
        Secret = System.Text.Encoding.UTF8.GetBytes(secret),
        Timeout = Deadline,
    };

    public static HandshakeOptions Dialer(string secret = "a secret of sixteen bytes or more") =>
        Side("10.0.0.1", 11, secret) with { Peer = "10.0.0.2:5000" };

    public static HandshakeOptions Listener(string secret = "a secret of sixteen bytes or more") =>
        Side("10.0.0.2", 22, secret) with { Peer = "10.0.0.1:40000" };

    public static (HandshakeOutcome Dialer, HandshakeOutcome Listener) Run(HandshakeOptions dialer, HandshakeOptions listener)
    {
        using var pair = new HandshakePair();
        return pair.Shake(dialer, listener);
    }

    /// <summary>Each side closes its end if it fails, as a transport does.</summary>
    public (HandshakeOutcome Dialer, HandshakeOutcome Listener) Shake(HandshakeOptions dialer, HandshakeOptions listener)
    {
        HandshakeOutcome accepted = null;
        var thread = InBackground(() => accepted = End(ListenerEnd, listener, isDialer: false));
        var dialed = End(DialerEnd, dialer, isDialer: true);
        Assert.True(thread.Join(Deadline));
        return (dialed, accepted);
    }

    public static HandshakeOutcome End(Stream stream, HandshakeOptions options, bool isDialer)
    {
        var outcome = HandshakeOutcome.Of(() => Handshake.Run(stream, options, isDialer));
        if (outcome.Failure is not null) stream.Dispose();
        return outcome;
    }

    public static Thread InBackground(Action action)
    {
        var thread = new Thread(() => action()) { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>Two ends of a connection; what one writes, the other reads.</summary>
    public static (Stream, Stream) Connect()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var dialer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        dialer.Connect(listener.LocalEndPoint!);
        var accepted = listener.Accept();
        accepted.NoDelay = true;
        return (new NetworkStream(dialer, ownsSocket: true), new NetworkStream(accepted, ownsSocket: true));
    }

    public void Dispose()
    {
        DialerEnd.Dispose();
        ListenerEnd.Dispose();
    }
}

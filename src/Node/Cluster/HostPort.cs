using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Where to listen or to connect: a name, an IPv4 or an IPv6 address, and a port.</summary>
/// <param name="Host">A name or an address; an IPv6 address without its brackets.</param>
/// <param name="Port">0 to 65535; 0 lets the system choose where one listens.</param>
internal sealed record HostPort(string Host, int Port)
{
    private const int MaxHostLength = 253;

    /// <summary>The address that <see cref="Host"/> is; null where it is a name.</summary>
    public IPAddress? Address => IPAddress.TryParse(Host, out var address) ? address : null;

    /// <summary>Whether only this machine is meant. Nothing is looked up: of the names only <c>localhost</c> counts.</summary>
    public bool IsLoopback => Address is { } address
        ? IPAddress.IsLoopback(address)
        : Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether all addresses of this machine are meant: one can listen there, not connect.</summary>
    public bool IsAny => Address is { } address && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    /// <summary>Reads <c>127.0.0.1:8080</c>, <c>[::1]:80</c> or <c>name:80</c>.</summary>
    /// <exception cref="ConfigException">It is none of these; the message says what to write.</exception>
    public static HostPort Parse(string text) =>
        TryParse(text, out var error) ?? throw new ConfigException($"'{text}' is not HOST:PORT: {error}");

    /// <summary>Null where the text is not HOST:PORT; <paramref name="error"/> then says why, and is empty otherwise.</summary>
    public static HostPort? TryParse(string text, out string error)
    {
        if (text.Contains("://", StringComparison.Ordinal)) return Wrong("leave out what stands before and with '://'.", out error);
        var bracketed = text.StartsWith('[');
        var close = bracketed ? text.IndexOf(']') : -1;
        if (bracketed && close < 0) return Wrong("']' is missing behind the IPv6 address.", out error);
        var colon = bracketed ? close + 1 : text.LastIndexOf(':');
        if (colon < 0 || colon >= text.Length || text[colon] != ':')
            return Wrong("the port is missing; write it like 127.0.0.1:8080.", out error);

        var host = bracketed ? text[1..close] : text[..colon];
        if (HostError(host, bracketed) is { } wrong) return Wrong(wrong, out error);
        var digits = text[(colon + 1)..];
        if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return Wrong($"the port has to be a number from 0 to 65535, not '{digits}'.", out error);
        error = "";
        return new HostPort(host, port);
    }

    /// <summary>Where to bind: a name is looked up, and its IPv4 address taken where it has one.</summary>
    /// <exception cref="SocketException">There is no such name.</exception>
    public IPEndPoint Resolve()
    {
        if (Address is { } address) return new IPEndPoint(address, Port);
        var addresses = Dns.GetHostAddresses(Host);
        var chosen = addresses.FirstOrDefault(found => found.AddressFamily == AddressFamily.InterNetwork) ?? addresses.FirstOrDefault();
        return chosen is null ? throw new SocketException((int)SocketError.HostNotFound) : new IPEndPoint(chosen, Port);
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static string? HostError(string host, bool bracketed)
    {
        if (bracketed)
            return IPAddress.TryParse(host, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6
                ? null
                : $"'{host}' is not an IPv6 address.";
        if (host.Length == 0) return "the host is missing; 127.0.0.1 is this machine, 0.0.0.0 listens on all its networks.";
        if (host.Contains(':')) return "an IPv6 address goes into brackets, like [::1]:8080.";
        if (host is "*" or "+") return "write 0.0.0.0 to listen on all networks.";
        if (host.All(letter => char.IsAsciiDigit(letter) || letter == '.'))
            return host.Count(letter => letter == '.') == 3 && IPAddress.TryParse(host, out _) ? null : $"'{host}' is not an IPv4 address.";
        return host.Length <= MaxHostLength && host.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_')
            ? null
            : $"'{host}' is not the name of a host.";
    }

    private static HostPort? Wrong(string why, out string error)
    {
        error = why;
        return null;
    }
}

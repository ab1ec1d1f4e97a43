namespace Akka.Actor;

/// <summary>Where an actor system is: protocol, system and, if it can be reached from outside, host and port.</summary>
public sealed class Address : IComparable, IComparable<Address>, IEquatable<Address>
{
    private int _hash;

    public Address(string protocol, string system, string host = null, int? port = default)
    {
        (Protocol, System, Host, Port) = (protocol, system, host?.ToLowerInvariant(), port);
    }

    public string Protocol { get; }
    public string System { get; }
    public string Host { get; }
    public int? Port { get; }

    /// <summary>It names no host: only this process can use it.</summary>
    public bool HasLocalScope => string.IsNullOrEmpty(Host);

    public bool HasGlobalScope => !HasLocalScope;

    /// <exception cref="UriFormatException">Not of the form protocol://system or protocol://system@host:port.</exception>
    public static Address Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return TryParse(address, out var result)
            ? result
            : throw new UriFormatException($"'{address}' is no address: expected protocol://system or protocol://system@host:port.");
    }

    public static bool TryParse(string path, out Address address)
    {
        address = null;
        var scheme = path?.IndexOf("://", StringComparison.Ordinal) ?? -1;
        if (scheme <= 0) return false;
        var (protocol, rest) = (path[..scheme], path[(scheme + 3)..]);
        if (rest.IndexOf('/') is >= 0 and var slash) rest = rest[..slash];
        var at = rest.IndexOf('@');
        if (at < 0)
        {
            if (rest.Length == 0) return false;
            address = new Address(protocol, rest);
            return true;
        }
        var colon = rest.LastIndexOf(':');
        if (at == 0 || colon <= at + 1 || !ushort.TryParse(rest[(colon + 1)..], out var port)) return false;
        address = new Address(protocol, rest[..at], rest[(at + 1)..colon], port);
        return true;
    }

    public int CompareTo(Address other)
    {
        if (other is null) return 1;
        var order = string.CompareOrdinal(Protocol, other.Protocol);
        if (order == 0) order = string.CompareOrdinal(System, other.System);
        if (order == 0) order = string.CompareOrdinal(Host ?? "", other.Host ?? "");
        return order != 0 ? order : (Port ?? 0).CompareTo(other.Port ?? 0);
    }

    int IComparable.CompareTo(object obj) => obj switch
    {
        null => 1,
        Address other => CompareTo(other),
        _ => throw new ArgumentException($"An address cannot be compared with a {obj.GetType()}.", nameof(obj)),
    };

    public bool Equals(Address other) =>
        ReferenceEquals(this, other)
        || (other is not null && Port == other.Port && Host == other.Host && System == other.System && Protocol == other.Protocol);

    public override bool Equals(object obj) => Equals(obj as Address);

    public override int GetHashCode() => _hash != 0 ? _hash : _hash = HashCode.Combine(Protocol, System, Host, Port);

    public static bool operator ==(Address left, Address right) => Equals(left, right);

    public static bool operator !=(Address left, Address right) => !Equals(left, right);

    public override string ToString() => HasLocalScope ? $"{Protocol}://{System}" : $"{Protocol}://{System}@{Host}:{Port}";
}

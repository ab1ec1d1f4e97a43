namespace Akka.Actor;

/// <summary>The name of an actor: its system's address and the names from the root down to it.</summary>
/// <remarks>Two paths are equal if their addresses and names are: the uid, which tells the incarnations of one name
/// apart, does not count; references compare it.</remarks>
public abstract class ActorPath : IComparable<ActorPath>, IEquatable<ActorPath>
{
    /// <summary>What an element may hold beside letters and digits, the $ never in front.</summary>
    public const string ValidSymbols = "\"-_.*$+:@&=,!~';()";

    private string _withoutAddress;
    private string _withoutAddressWithUid;

    private protected ActorPath(Address address, ActorPath parent, string name, long uid)
    {
        (Address, Parent, Name, Uid) = (address, parent ?? this, name, uid);
        Depth = parent is null ? 0 : parent.Depth + 1;
    }

    public Address Address { get; }

    /// <summary>The root is its own parent.</summary>
    public ActorPath Parent { get; }

    public ActorPath Root => ParentOf(0);

    public string Name { get; }

    public long Uid { get; }

    /// <summary>How many names; 0 for the root.</summary>
    public int Depth { get; }

    public IReadOnlyList<string> Elements
    {
        get
        {
            var elements = new string[Depth];
            for (var path = this; path.Depth > 0; path = path.Parent) elements[path.Depth - 1] = path.Name;
            return elements;
        }
    }

    /// <summary>The ancestor (or self) at a depth.</summary>
    public ActorPath ParentOf(int depth)
    {
        var path = this;
        while (path.Depth > depth) path = path.Parent;
        return path;
    }

    public static ActorPath operator /(ActorPath path, string name) => new ChildActorPath(path, name, 0);

    public static bool IsValidPathElement(string s) =>
        !string.IsNullOrEmpty(s) && s[0] != '$' && s.All(c => char.IsAsciiLetterOrDigit(c) || ValidSymbols.Contains(c));

    /// <exception cref="UriFormatException">Not of the form protocol://system[@host:port]/name/name.</exception>
    public static ActorPath Parse(string path) =>
        TryParse(path, out var result) ? result : throw new UriFormatException($"'{path}' is no path of an actor.");

    public static bool TryParse(string path, out ActorPath actorPath)
    {
        actorPath = null;
        if (!Address.TryParse(path, out var address)) return false;
        var names = path.IndexOf('/', path.IndexOf("://", StringComparison.Ordinal) + 3);
        actorPath = new RootActorPath(address);
        if (names < 0) return true;
        foreach (var element in path[(names + 1)..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var hash = element.IndexOf('#');
            var uid = 0L;
            if (hash >= 0 && !long.TryParse(element[(hash + 1)..], out uid)) return false;
            actorPath = new ChildActorPath(actorPath, hash < 0 ? element : element[..hash], uid);
        }
        return true;
    }

    public string ToStringWithoutAddress() => _withoutAddress ??= Depth == 0 ? "/" : "/" + string.Join('/', Elements);

    public string ToStringWithAddress() => Address + ToStringWithoutAddress();

    public string ToStringWithUid() => Uid == 0 ? ToStringWithAddress() : $"{ToStringWithAddress()}#{Uid}";

    /// <summary>As a system names its own actors to others.</summary>
    internal string ToStringWithoutAddressWithUid() =>
        _withoutAddressWithUid ??= Uid == 0 ? ToStringWithoutAddress() : $"{ToStringWithoutAddress()}#{Uid}";

    public string ToSerializationFormat() => ToStringWithUid();

    public override string ToString() => ToStringWithAddress();

    public int CompareTo(ActorPath other)
    {
        if (other is null) return 1;
        var order = Address.CompareTo(other.Address);
        return order != 0 ? order : string.CompareOrdinal(ToStringWithoutAddress(), other.ToStringWithoutAddress());
    }

    public bool Equals(ActorPath other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || Depth != other.Depth || !Address.Equals(other.Address)) return false;
        for (ActorPath a = this, b = other; a.Depth > 0; a = a.Parent, b = b.Parent)
        {
            if (ReferenceEquals(a, b)) return true;
            if (a.Name != b.Name) return false;
        }
        return true;
    }

    public override bool Equals(object obj) => Equals(obj as ActorPath);

    public override int GetHashCode() => ToStringWithoutAddress().GetHashCode();

    public static bool operator ==(ActorPath left, ActorPath right) => Equals(left, right);

    public static bool operator !=(ActorPath left, ActorPath right) => !Equals(left, right);
}

/// <summary>The path above all others of a system.</summary>
public sealed class RootActorPath : ActorPath
{
    public RootActorPath(Address address, string name = "")
        : base(address, null, name, 0)
    {
    }
}

/// <summary>A name below another path.</summary>
public sealed class ChildActorPath : ActorPath
{
    public ChildActorPath(ActorPath parentPath, string name, long uid)
        : base(parentPath.Address, parentPath, name, uid)
    {
    }
}

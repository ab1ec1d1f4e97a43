using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>Which cluster: two that were founded apart never mix.</summary>
/// <param name="FoundedAt">Milliseconds since 1970 on the founder's clock.</param>
/// <param name="Founder">Who founded it.</param>
internal sealed record ClusterId(long FoundedAt, UniqueAddress Founder) : IComparable<ClusterId>
{
    /// <summary>The older first.</summary>
    public int CompareTo(ClusterId other)
    {
        var order = FoundedAt.CompareTo(other.FoundedAt);
        return order != 0 ? order : Founder.CompareTo(other.Founder);
    }

    public override string ToString() => $"{Founder.Address}#{Founder.Uid}@{FoundedAt}";
}

/// <summary>A member that is no more, and how it went: Exiting or Down.</summary>
internal sealed record Departed(UniqueAddress Node, MemberStatus As);

/// <summary>The whole membership as its authority wrote it last. Immutable; also the message that spreads it.</summary>
/// <remarks>Of two views of one cluster the one with the higher (term, version) holds. A term has one authority, which alone
/// counts versions up; only it begins the next term, by naming its successor.</remarks>
internal sealed record View : IDeadLetterSuppression
{
    /// <summary>So many of the departed are remembered: for their events, and so that they do not come back.</summary>
    public const int MostDeparted = 64;

    public const int MostSeeds = 64;

    public required ClusterId Id { get; init; }

    public required long Term { get; init; }

    public required long Version { get; init; }

    public required UniqueAddress Authority { get; init; }

    /// <summary>The up number given last.</summary>
    public required int LastUpNumber { get; init; }

    /// <summary>Oldest first. Empty: the cluster is dissolved.</summary>
    public required ImmutableArray<Member> Members { get; init; }

    public ImmutableHashSet<UniqueAddress> Unreachable { get; init; } = [];

    /// <summary>The last to go comes last.</summary>
    public ImmutableArray<Departed> Departed { get; init; } = [];

    /// <summary>The seed addresses that members were given.</summary>
    public ImmutableArray<Address> Seeds { get; init; } = [];

    public static View Found(ClusterId id, ImmutableHashSet<string> roles, IEnumerable<Address> seeds) => new()
    {
        Id = id,
        Term = 1,
        Version = 1,
        Authority = id.Founder,
        LastUpNumber = 1,
        Members = [new Member(id.Founder, 1, MemberStatus.Up, roles)],
        Seeds = [.. seeds.Take(MostSeeds)],
    };

    public Member Find(UniqueAddress node)
    {
        foreach (var member in Members)
        {
            if (member.UniqueAddress.Equals(node)) return member;
        }
        return null;
    }

    public Member Find(Address address)
    {
        foreach (var member in Members)
        {
            if (member.Address.Equals(address)) return member;
        }
        return null;
    }

    public Departed FindDeparted(UniqueAddress node)
    {
        foreach (var departed in Departed)
        {
            if (departed.Node.Equals(node)) return departed;
        }
        return null;
    }

    public bool IsNewerThan(View other) => IsNewerThan(other.Term, other.Version);

    public bool IsNewerThan(long term, long version) => Term != term ? Term > term : Version > version;

    /// <summary>Some member that is up has the role.</summary>
    public bool HasUp(string role) => Members.Any(member => member.Status == MemberStatus.Up && member.HasRole(role));

    public View WithUp(UniqueAddress node, ImmutableHashSet<string> roles, IEnumerable<Address> seeds) => this with
    {
        LastUpNumber = LastUpNumber + 1,
        Members = Members.Add(new Member(node, LastUpNumber + 1, MemberStatus.Up, roles)),
        Seeds = [.. Seeds.Union(seeds).Take(MostSeeds)],
    };

    public View Without(UniqueAddress node, MemberStatus goneAs) => this with
    {
        Members = Members.RemoveAll(member => member.UniqueAddress.Equals(node)),
        Unreachable = Unreachable.Remove(node),
        Departed = [.. Departed.Skip(Departed.Length - MostDeparted + 1), new Departed(node, goneAs)],
    };

    public View WithStatus(UniqueAddress node, MemberStatus status) => this with
    {
        Members = [.. Members.Select(member => member.UniqueAddress.Equals(node) ? member.With(status) : member)],
    };

    /// <summary>What may come from outside: the authority is a member, nobody stands there twice.</summary>
    public bool IsSound() => Members.IsEmpty
        || (Find(Authority) is not null && Members.Select(member => member.Address).Distinct().Count() == Members.Length);
}

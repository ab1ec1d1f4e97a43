using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Rl.Distributed.Runtime.Membership;

// What membership actors tell each other, beside the View. None is an order that must arrive: each is sent again until its
// effect shows.

/// <summary>To a seed: is there a cluster?</summary>
internal sealed record InitJoin : IDeadLetterSuppression
{
    public static readonly InitJoin Instance = new();
}

/// <summary>To who asked, or who asked the wrong node: the authority to join is there.</summary>
internal sealed record InitJoinAck(ClusterId Id, Address Authority) : IDeadLetterSuppression;

/// <summary>To the authority: take me in.</summary>
/// <param name="Node">The sender.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="Seeds">The seed addresses that it was given.</param>
internal sealed record Join(UniqueAddress Node, ImmutableHashSet<string> Roles, ImmutableArray<Address> Seeds) : IDeadLetterSuppression;

/// <summary>To the authority, at each new view and once a second: this is what I have.</summary>
internal sealed record Report(UniqueAddress Node, ClusterId Id, long Term, long Version) : IDeadLetterSuppression;

/// <summary>To the authority: let the node go.</summary>
/// <param name="Node">A member.</param>
/// <param name="As">Exiting: it leaves; Down: it is thrown out.</param>
internal sealed record Dismiss(UniqueAddress Node, MemberStatus As) : IDeadLetterSuppression;

/// <summary>From an authority to seed addresses that are no members: this cluster exists.</summary>
/// <param name="Id">Which cluster.</param>
/// <param name="Authority">Its authority.</param>
/// <param name="HasKeeper">It has a member of the role that decides splits.</param>
/// <param name="IsAnswer">To another such message; not answered again.</param>
internal sealed record Announce(ClusterId Id, UniqueAddress Authority, bool HasKeeper, bool IsAnswer) : IDeadLetterSuppression;

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>From the wish to join to the first view.</summary>
internal sealed partial class Participant
{
    private ImmutableArray<Address> _seeds = [];

    /// <summary>Since when no authority is known.</summary>
    private TimeSpan _seekingSince;

    /// <summary>The authority at whose door this node knocks, and until when.</summary>
    private Address _authority;

    private TimeSpan _knockUntil;
    private TimeSpan _nextKnock;

    /// <summary>Founds a cluster if the address is this node's, else joins the one that the node there belongs to.</summary>
    public void JoinTo(TimeSpan now, Address address)
    {
        if (!BeginJoining(now, [address])) return;
        if (address.Equals(Self.Address)) Found(now);
        else Seek(now);
    }

    /// <summary>Joins the cluster that any of the seeds belongs to. If the first is this node and there is none, it founds one.</summary>
    public void JoinSeeds(TimeSpan now, IEnumerable<Address> seeds)
    {
        if (BeginJoining(now, [.. seeds.Distinct()])) Seek(now);
    }

    private bool BeginJoining(TimeSpan now, ImmutableArray<Address> seeds)
    {
        if (_phase == Phase.Ended) Warn("A system that was removed from its cluster does not join again: start a new one.");
        else if (_phase == Phase.Member) Warn($"Already a member of {View.Id}: the wish to join is ignored.");
        else if (seeds.IsEmpty) Warn("No seed nodes are given: nothing to join.");
        if (_phase is Phase.Ended or Phase.Member || seeds.IsEmpty) return false;
        (_phase, _seeds, _seekingSince, _authority, _nextKnock) = (Phase.Joining, seeds, now, null, now);
        return true;
    }

    private void Seek(TimeSpan now)
    {
        if (_authority is not null && now >= _knockUntil) (_authority, _seekingSince, _nextKnock) = (null, now, now);
        if (_authority is null && _seeds[0].Equals(Self.Address) && now - _seekingSince >= _options.FoundingGrace)
        {
            Found(now);
            return;
        }
        if (now < _nextKnock) return;
        _nextKnock = now + _options.RetryInterval;
        if (_authority is not null)
        {
            Knock();
            return;
        }
        foreach (var seed in _seeds)
        {
            if (!seed.Equals(Self.Address)) _outside.Send(seed, InitJoin.Instance);
        }
    }

    private void Found(TimeSpan now)
    {
        var id = new ClusterId(_outside.WallClock, Self);
        Info($"Founding cluster {id}.");
        Adopt(now, View.Found(id, _options.Roles, _seeds));
    }

    /// <summary>Some node says where the authority is. Once there is one, only itself may name another.</summary>
    private void FoundAuthority(TimeSpan now, Address from, Address authority)
    {
        if (_phase != Phase.Joining || authority.Equals(Self.Address)) return;
        if (_authority is not null && (!_authority.Equals(from) || _authority.Equals(authority))) return;
        (_authority, _knockUntil, _nextKnock) = (authority, now + _options.JoinLimit, now + _options.RetryInterval);
        Knock();
    }

    private void Knock() => _outside.Send(_authority, new Join(Self, _options.Roles, _seeds));
}

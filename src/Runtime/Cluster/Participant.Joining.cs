using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>From the wish to join to the first view.</summary>
internal sealed partial class Participant
{
    private ImmutableArray<Address> _seeds = [];

    /// <summary>Since when no authority is known.</summary>
    private TimeSpan _seekingSince;

    /// <summary>The authority at whose door this node knocks, and until when.</summary>
    private Address _authority;

    /// <summary>Where this node knocked first, and when. It may have been let in and removed again, for good, without hearing of it:
    /// so an incarnation has to do with one cluster only, and with none forever.</summary>
    private (ClusterId Id, TimeSpan At)? _knocked;

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
            if (_knocked is null) Found(now);
            else GiveUp(now, "it is gone");
            return;
        }
        if (now < _nextKnock) return;
        _nextKnock = now + _options.RetryInterval;
        if (now - _knocked?.At >= _options.AdmissionLimit)
        {
            GiveUp(now, "it gives no answer");
            return;
        }
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
    private void FoundAuthority(TimeSpan now, Address from, ClusterId id, Address authority)
    {
        if (_phase != Phase.Joining || authority.Equals(Self.Address)) return;
        if (_authority is not null && (!_authority.Equals(from) || _authority.Equals(authority))) return;
        if (_knocked is { } earlier && earlier.Id != id)
        {
            GiveUp(now, $"now there is cluster {id}");
            return;
        }
        (_authority, _knockUntil, _nextKnock) = (authority, now + _options.JoinLimit, now + _options.RetryInterval);
        _knocked ??= (id, now);
        Knock();
    }

    private void GiveUp(TimeSpan now, string why)
    {
        Warn($"Joining cluster {_knocked?.Id} failed: {why}. This system ends; a new one may join.");
        End(now, MemberStatus.Down);
    }

    /// <summary>Tells a joining node whom to ask. It may be the authority itself, named by a predecessor that it did not hear.</summary>
    private void PointToAuthority(Address joining) =>
        _outside.Send(joining, joining.Equals(View.Authority.Address) ? View : new InitJoinAck(View.Id, View.Authority.Address));

    private void Knock() => _outside.Send(_authority, new Join(Self, _options.Roles, _seeds));
}

using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>The one member that writes the membership.</summary>
internal sealed partial class Participant
{
    /// <summary>The version of this term that each member has reported.</summary>
    private readonly Dictionary<UniqueAddress, long> _reported = [];

    private TimeSpan _nextBroadcast;
    private TimeSpan _nextAnnounce;
    private TimeSpan _nextSplitLog;

    /// <summary>The first act of a term: whoever the predecessor left to be removed goes, and all hear of the new authority.</summary>
    private void TakeOver(TimeSpan now)
    {
        (_handover, _nextAnnounce) = (null, now);
        _reported.Clear();
        Info($"This node has authority over cluster {View.Id} in term {View.Term}.");
        var next = View;
        foreach (var wanted in _wanted) next = next.Without(wanted.Node, wanted.As);
        _wanted = [];
        foreach (var member in next.Members)
        {
            if (member.Status is MemberStatus.Leaving or MemberStatus.Down && !member.UniqueAddress.Equals(Self))
                next = next.Without(member.UniqueAddress, member.Status == MemberStatus.Down ? MemberStatus.Down : MemberStatus.Exiting);
        }
        Write(now, next);
    }

    /// <summary>Makes the next version. Who comes or goes by it is told at once, and so is everyone, unless they were told a moment ago:
    /// then the next tick tells them, of all that happens until then.</summary>
    private void Write(TimeSpan now, View next)
    {
        var before = View;
        next = next with { Version = View.Version + 1 };
        var isBurst = now < _nextBroadcast;
        if (!isBurst) _nextBroadcast = now + MembershipOptions.TickInterval;
        _nextRepeat = isBurst ? now : now + _options.RetryInterval;
        foreach (var member in before.Members.Union(next.Members))
        {
            var node = member.UniqueAddress;
            var stays = isBurst && before.Find(node) is not null && next.Find(node) is not null;
            if (!stays && !node.Equals(Self) && IsWithinReach(node)) _outside.Send(member.Address, next);
        }
        Adopt(now, next);
    }

    private bool IsWithinReach(UniqueAddress node) => _links.Of(node.Address) is var link
        && link.State != LinkState.Broken && (link.State == LinkState.Unknown || link.Uid == node.Uid);

    private void Admit(TimeSpan now, Join join)
    {
        if (View.FindDeparted(join.Node) is not null) return;
        if (View.Find(join.Node) is not null)
        {
            _outside.Send(join.Node.Address, View);
            return;
        }
        var next = View;
        if (View.Find(join.Node.Address) is { } earlier)
        {
            Info($"{earlier.Address} was started anew; its earlier incarnation is removed.");
            next = next.Without(earlier.UniqueAddress, MemberStatus.Down);
        }
        Write(now, next.WithUp(join.Node, join.Roles, join.Seeds));
        Info($"{join.Node.Address} has joined with roles [{string.Join(", ", join.Roles.Order(StringComparer.Ordinal))}].");
        YieldToHigher(now);
    }

    /// <summary>Compares connections with the view: marks, removes those that are away for too long or were started anew.</summary>
    private void InspectMembers(TimeSpan now)
    {
        foreach (var member in View.Members)
        {
            var node = member.UniqueAddress;
            if (node.Equals(Self)) continue;
            var link = _links.Of(member.Address);
            var isLost = link.State == LinkState.Broken || (link.State == LinkState.Unknown && now - link.Since >= _options.ConnectLimit);
            if (link.State == LinkState.Up && link.Uid != node.Uid)
            {
                Remove(now, node, MemberStatus.Down, "was started anew");
            }
            else if (View.Unreachable.Contains(node) != isLost)
            {
                if (isLost) Warn($"{member.Address} cannot be reached.");
                Write(now, View with { Unreachable = isLost ? View.Unreachable.Add(node) : View.Unreachable.Remove(node) });
            }
            else if (isLost
                && now - link.Since >= (link.State == LinkState.Unknown ? _options.ConnectLimit : TimeSpan.Zero) + _options.DownAfter)
            {
                Remove(now, node, MemberStatus.Down, "did not come back");
            }
        }
    }

    private void Remove(TimeSpan now, UniqueAddress node, MemberStatus goneAs, string reason)
    {
        Info($"{node.Address} {reason}; it is removed.");
        _reported.Remove(node);
        Write(now, View.Without(node, goneAs));
    }

    /// <summary>Sends the view to those that have not reported it, and word of this cluster to seeds that are not in it.</summary>
    private void Repeat(TimeSpan now)
    {
        if (now >= _nextRepeat)
        {
            _nextRepeat = now + _options.RetryInterval;
            foreach (var member in View.Members)
            {
                var node = member.UniqueAddress;
                if (!node.Equals(Self) && _reported.GetValueOrDefault(node) < View.Version && IsWithinReach(node))
                    _outside.Send(member.Address, View);
            }
        }
        if (now < _nextAnnounce) return;
        _nextAnnounce = now + _options.AnnounceInterval;
        foreach (var seed in View.Seeds) AnnounceTo(seed);
    }

    /// <summary>Once a second, and when a seed appears: what was sent before may have been for its earlier incarnation.</summary>
    private void AnnounceTo(Address seed)
    {
        if (View.Find(seed) is null) _outside.Send(seed, Announcement(isAnswer: false));
    }

    private void ReceiveReport(Report report)
    {
        var isMember = View.Find(report.Node) is not null;
        if (IsAuthority && isMember && report.Term == View.Term)
            _reported[report.Node] = Math.Max(report.Version, _reported.GetValueOrDefault(report.Node));
        // A node that was removed, or one that still follows the predecessor of this node's authority, is told.
        else if (!isMember || View.Term > report.Term)
            _outside.Send(report.Node.Address, View);
    }

    private void ReceiveDismiss(TimeSpan now, Address from, Dismiss dismiss)
    {
        if (!IsAuthority)
        {
            if (!from.Equals(View.Authority.Address)) _outside.Send(View.Authority.Address, dismiss);
        }
        else if (dismiss.Node.Equals(Self))
        {
            StepDown(now, dismiss.As);
        }
        else if (View.Find(dismiss.Node) is not null)
        {
            Remove(now, dismiss.Node, dismiss.As, dismiss.As == MemberStatus.Exiting ? "leaves" : "is downed");
        }
        else if (dismiss.Node.Address.Equals(from))
        {
            _outside.Send(from, View); // it was removed before, and has not heard of it
        }
    }

    /// <summary>A member that outranks this node gets the authority.</summary>
    private void YieldToHigher(TimeSpan now)
    {
        if (IsAuthority && Successor() is { } first && IsKeeper(first) && !IsKeeper(View.Find(Self))) HandOver(now, first, View);
    }

    /// <summary>Leaves, or is thrown out: the next in rank gets the authority and removes this node. Alone, it just ends.</summary>
    private void StepDown(TimeSpan now, MemberStatus goneAs)
    {
        if (Successor() is not { } next)
        {
            End(now, goneAs);
            return;
        }
        (_leavingSince, _leavingAs) = (now, goneAs);
        HandOver(now, next, View.WithStatus(Self, goneAs == MemberStatus.Down ? MemberStatus.Down : MemberStatus.Leaving));
    }

    private Member Successor() => View.Members
        .Where(member => member.Status == MemberStatus.Up && !member.UniqueAddress.Equals(Self)
            && !View.Unreachable.Contains(member.UniqueAddress) && IsWithinReach(member.UniqueAddress))
        .OrderBy(member => IsKeeper(member) ? 0 : 1).ThenBy(member => member.UpNumber)
        .FirstOrDefault();

    private bool IsKeeper(Member member) => member.HasRole(_options.KeepRole);

    /// <summary>From here on this node writes nothing, whether the successor hears of it or not.</summary>
    private void HandOver(TimeSpan now, Member successor, View view)
    {
        Info($"Authority over cluster {view.Id} passes to {successor.Address}.");
        _handover = view with { Term = view.Term + 1, Version = view.Version + 1, Authority = successor.UniqueAddress };
        _nextRepeat = now + _options.RetryInterval;
        _outside.Send(successor.Address, _handover);
        Adopt(now, _handover);
    }

    private Announce Announcement(bool isAnswer) => new(View.Id, Self, View.HasUp(_options.KeepRole), isAnswer);

    /// <summary>There is another cluster: of two, one has to go.</summary>
    private void ReceiveAnnounce(TimeSpan now, Announce theirs)
    {
        if (_phase == Phase.Joining)
        {
            FoundAuthority(now, theirs.Authority.Address, theirs.Id, theirs.Authority.Address);
            return;
        }
        if (View is null || theirs.Id == View.Id) return;
        if (!IsAuthority)
        {
            _outside.Send(View.Authority.Address, theirs);
            return;
        }
        var mine = Announcement(isAnswer: true);
        var bothKeep = theirs.HasKeeper && mine.HasKeeper;
        var mineStays = mine.HasKeeper == theirs.HasKeeper ? mine.Id.CompareTo(theirs.Id) < 0 : mine.HasKeeper;
        if (!theirs.IsAnswer && (bothKeep || mineStays)) _outside.Send(theirs.Authority.Address, mine);
        if (bothKeep && now >= _nextSplitLog)
        {
            _nextSplitLog = now + _options.SplitLogInterval;
            _outside.Log(LogLevel.ErrorLevel, $"Two clusters with a member of role {_options.KeepRole} know the same seeds: "
                + $"{mine.Id} led by {Self.Address} and {theirs.Id} led by {theirs.Authority.Address}. Neither gives way: stop one.");
        }
        if (!bothKeep && !mineStays) Dissolve(now, theirs);
    }

    private void Dissolve(TimeSpan now, Announce winner)
    {
        Warn($"Cluster {View.Id} ends in favour of {winner.Id}, led by {winner.Authority.Address}.");
        var end = View with { Version = View.Version + 1, Members = [], Unreachable = [] };
        foreach (var member in View.Members)
        {
            if (!member.UniqueAddress.Equals(Self)) _outside.Send(member.Address, end);
        }
        End(now, MemberStatus.Down);
    }
}

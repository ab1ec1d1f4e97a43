using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>A member that another has authority over.</summary>
internal sealed partial class Participant
{
    /// <summary>The last view of this node's own term, until the authority that it names is heard.</summary>
    private View _handover;

    private MemberStatus _leavingAs;
    private TimeSpan? _leavingSince;
    private TimeSpan _nextReport;
    private TimeSpan _nextRepeat;

    /// <summary>Other members that this node wants to go, until they have.</summary>
    private ImmutableArray<Dismiss> _wanted = [];

    /// <summary>Takes a member out of the cluster, this one or another, in good order.</summary>
    public void Leave(TimeSpan now, Address address) => Take(now, address, MemberStatus.Exiting);

    /// <summary>Throws a member out.</summary>
    public void Down(TimeSpan now, Address address) => Take(now, address, MemberStatus.Down);

    /// <summary>This node stops now: whoever can go on is told, nothing is waited for.</summary>
    public void Stop(TimeSpan now)
    {
        if (_phase == Phase.Member && _leavingSince is null) Take(now, Self.Address, MemberStatus.Exiting);
        End(now, MemberStatus.Exiting);
    }

    private void Take(TimeSpan now, Address address, MemberStatus goneAs)
    {
        if (_phase is Phase.Alone or Phase.Joining && address.Equals(Self.Address)) End(now, goneAs);
        if (View?.Find(address) is not { } member) return;
        var node = member.UniqueAddress;
        if (IsAuthority)
        {
            if (node.Equals(Self)) StepDown(now, goneAs);
            else Remove(now, node, goneAs, goneAs == MemberStatus.Exiting ? "leaves" : "is downed");
            return;
        }
        if (!node.Equals(Self)) _wanted = [.. _wanted.Where(wanted => !wanted.Node.Equals(node)), new Dismiss(node, goneAs)];
        else if (_leavingSince is null) (_leavingSince, _leavingAs) = (now, goneAs);
        _nextRepeat = now + _options.RetryInterval;
        _outside.Send(View.Authority.Address, new Dismiss(node, goneAs));
    }

    private void ReceiveView(TimeSpan now, Address from, View next)
    {
        var fromItsAuthority = from.Equals(next.Authority.Address);
        if (_phase == Phase.Joining)
        {
            if (next.Id != _knocked?.Id || next.Find(Self) is null) return;
            if (!fromItsAuthority && !from.Equals(_authority) && !next.Authority.Equals(Self)) return;
            Info($"Joined cluster {next.Id}; the authority is {next.Authority.Address}.");
        }
        else if (View is null || IsAuthority || next.Id != View.Id || !(fromItsAuthority || from.Equals(View.Authority.Address)))
        {
            return; // only the authority writes, and only it says who follows it
        }
        else if (!next.IsNewerThan(View))
        {
            SendReport(now);
            return;
        }
        if (fromItsAuthority) _handover = null;
        Adopt(now, next);
        if (_phase == Phase.Member && !IsAuthority) SendReport(now);
    }

    /// <summary>Whoever lost the authority, or finds another incarnation in its place, is on the losing side.</summary>
    private void InspectAuthority(TimeSpan now)
    {
        var link = _links.Of(View.Authority.Address);
        if (link.State == LinkState.Up && link.Uid == View.Authority.Uid) return;
        var limit = link.State switch
        {
            LinkState.Up => TimeSpan.Zero,
            LinkState.Broken => _options.LostAuthorityLimit,
            _ => _options.ConnectLimit + _options.LostAuthorityLimit,
        };
        if (now - link.Since < limit) return;
        Warn(link.State == LinkState.Up
            ? $"The authority {View.Authority.Address} was started anew; this node ends its membership."
            : $"The authority {View.Authority.Address} cannot be reached; this node ends its membership.");
        End(now, _leavingSince is null ? MemberStatus.Down : _leavingAs);
    }

    private void RepeatAsFollower(TimeSpan now)
    {
        if (_leavingSince is { } since && now - since >= _options.LeaveLimit)
        {
            End(now, _leavingAs);
            return;
        }
        if (now >= _nextReport) SendReport(now);
        if (now < _nextRepeat || (_leavingSince is null && _handover is null && _wanted.IsEmpty)) return;
        _nextRepeat = now + _options.RetryInterval;
        if (_handover is not null) _outside.Send(_handover.Authority.Address, _handover);
        else if (_leavingSince is not null) _outside.Send(View.Authority.Address, new Dismiss(Self, _leavingAs));
        foreach (var wanted in _wanted) _outside.Send(View.Authority.Address, wanted);
    }

    private void SendReport(TimeSpan now)
    {
        _nextReport = now + _options.ReportInterval;
        _outside.Send(View.Authority.Address, new Report(Self, View.Id, View.Term, View.Version));
    }
}

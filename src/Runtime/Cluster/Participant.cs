using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>One node's part in the membership: a plain state machine; time and messages come in, effects go to the outside.</summary>
/// <remarks>docs/membership.md says how it works. Not thread-safe; <c>now</c> is monotonic and never goes back.</remarks>
internal sealed partial class Participant
{
    private readonly IOutside _outside;
    private readonly MembershipOptions _options;
    private readonly Links _links;
    private readonly List<(TimeSpan Due, UniqueAddress Node)> _farewells = [];
    private Phase _phase = Phase.Alone;

    public Participant(UniqueAddress self, MembershipOptions options, IOutside outside)
    {
        (Self, _options, _outside, _links) = (self, options, outside, new Links(outside));
    }

    private enum Phase
    {
        Alone,
        Joining,
        Member,
        Ended,
    }

    public UniqueAddress Self { get; }

    /// <summary>Null unless this node is a member.</summary>
    public View View { get; private set; }

    public bool IsEnded => _phase == Phase.Ended;

    public bool IsAuthority => View is not null && View.Authority.Equals(Self);

    public void Connected(TimeSpan now, Address peer, int uid)
    {
        _links.Connected(now, peer, uid);
        Inspect(now);
        if (IsAuthority && View.Seeds.Contains(peer)) AnnounceTo(peer);
    }

    public void Disconnected(TimeSpan now, Address peer, int uid)
    {
        _links.Disconnected(now, peer, uid);
        Inspect(now);
    }

    /// <param name="now">The time.</param>
    /// <param name="from">Where the message came from, as the transport knows it.</param>
    /// <param name="message">What is unknown, stale or not the sender's to say is ignored.</param>
    public void Receive(TimeSpan now, Address from, object message)
    {
        if (_phase == Phase.Ended || from is null || from.Equals(Self.Address)) return;
        switch (message)
        {
            case View view when view.IsSound():
                ReceiveView(now, from, view);
                return;
            case InitJoin when View is not null:
                PointToAuthority(from);
                return;
            case InitJoinAck ack:
                FoundAuthority(now, from, ack.Id, ack.Authority);
                return;
            case Join join when View is not null && join.Node.Address.Equals(from):
                if (IsAuthority) Admit(now, join);
                else PointToAuthority(from);
                return;
            case Report report when View is not null && report.Node.Address.Equals(from) && report.Id == View.Id:
                ReceiveReport(report);
                return;
            case Dismiss dismiss when View is not null && dismiss.As is MemberStatus.Exiting or MemberStatus.Down:
                ReceiveDismiss(now, from, dismiss);
                return;
            case Announce announce:
                ReceiveAnnounce(now, announce);
                return;
        }
    }

    /// <summary>To be called every <see cref="MembershipOptions.TickInterval"/>.</summary>
    public void Tick(TimeSpan now)
    {
        EndFarewells(now);
        if (_phase == Phase.Joining) Seek(now);
        Inspect(now);
        if (IsAuthority) Repeat(now);
        else if (_phase == Phase.Member) RepeatAsFollower(now);
    }

    /// <summary>Looks at the connections that matter to this node.</summary>
    private void Inspect(TimeSpan now)
    {
        if (_phase != Phase.Member) return;
        if (!IsAuthority)
        {
            InspectAuthority(now);
            return;
        }
        InspectMembers(now);
        YieldToHigher(now);
    }

    /// <summary>Takes over a newer view.</summary>
    private void Adopt(TimeSpan now, View next)
    {
        var before = View;
        if (next.Find(Self) is null)
        {
            End(now, next.FindDeparted(Self)?.As ?? MemberStatus.Down);
            return;
        }
        View = next;
        _phase = Phase.Member;
        _wanted = _wanted.RemoveAll(wanted => next.Find(wanted.Node) is null);
        var gone = before is null ? [] : before.Members.RemoveAll(member => next.Find(member.UniqueAddress) is not null);
        foreach (var member in gone) Part(now, member.UniqueAddress, next);
        var others = next.Members.Select(member => member.UniqueAddress).Where(node => !node.Equals(Self));
        _links.Keep(now, IsAuthority ? others : [next.Authority]);
        _outside.Changed(before, next);
        if (IsAuthority && (before is null || !before.Authority.Equals(Self))) TakeOver(now);
    }

    /// <summary>A lost node is gone at once; one that can be reached may first hear of it, and end by itself.</summary>
    private void Part(TimeSpan now, UniqueAddress node, View next)
    {
        var link = _links.Of(node.Address);
        var canHear = next.FindDeparted(node)?.As == MemberStatus.Exiting || (link.State == LinkState.Up && link.Uid == node.Uid);
        if (canHear) _farewells.Add((now + _options.Farewell, node));
        else _outside.Gone(node);
    }

    private void EndFarewells(TimeSpan now)
    {
        for (var i = _farewells.Count - 1; i >= 0; i--)
        {
            if (_farewells[i].Due > now) continue;
            _outside.Gone(_farewells[i].Node);
            _farewells.RemoveAt(i);
        }
    }

    private void End(TimeSpan now, MemberStatus goneAs)
    {
        if (_phase == Phase.Ended) return;
        var last = View;
        (_phase, View) = (Phase.Ended, null);
        _links.Keep(now, []);
        _outside.Ended(last, goneAs);
    }

    private void Warn(string text) => _outside.Log(LogLevel.WarningLevel, text);

    private void Info(string text) => _outside.Log(LogLevel.InfoLevel, text);
}

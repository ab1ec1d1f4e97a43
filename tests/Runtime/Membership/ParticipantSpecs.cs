using System.Buffers;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Rl.Distributed.Runtime.Membership;
using Rl.Distributed.Runtime.Remote;
using static Rl.Distributed.Runtime.Tests.Membership.ClusterWorld;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>The logic of one node alone: what it believes and what it ignores.</summary>
public sealed class ParticipantSpecs
{
    private static readonly UniqueAddress Me = Node(1), Authority = Node(2), Other = Node(3);
    private static readonly ClusterId Id = new(1000, Authority);
    private readonly Outside _outside = new();
    private readonly Participant _me;
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    public ParticipantSpecs() => _me = new Participant(Me, new MembershipOptions { Roles = ["actor"] }, _outside);

    [Fact]
    public void A_view_counts_only_if_it_is_newer_and_comes_from_an_authority_of_this_cluster()
    {
        Join();
        var now = _me.View;
        foreach (var ignored in new[]
        {
            now with { Version = 1 }, // older
            now with { Version = 9, Id = new ClusterId(1, Other) }, // of another cluster
            now with { Version = 9, Authority = Node(77) }, // its authority is no member
            now with { Version = 9, Members = now.Members.Add(new Member(Node(3, uid: 4), 9, MemberStatus.Up, [])) }, // an address twice
        })
        {
            _me.Receive(_now, Authority.Address, ignored);
            Assert.Same(now, _me.View);
        }
        _me.Receive(_now, Other.Address, now with { Version = 9 }); // from a member that is not the authority
        Assert.Same(now, _me.View);
        _me.Receive(_now, Authority.Address, now with { Version = 9 });
        Assert.Equal(9, _me.View.Version);
        _me.Receive(_now, Other.Address, now with { Term = 2, Version = 1, Authority = Other }); // the successor itself
        Assert.Equal(Other, _me.View.Authority);
    }

    [Fact]
    public void Nobody_is_put_into_a_cluster_that_it_did_not_ask_for()
    {
        _me.Receive(_now, Authority.Address, ViewOf(5, Authority, Me));
        Assert.Null(_me.View);
        _me.JoinSeeds(_now, [Other.Address]);
        _me.Receive(_now, Authority.Address, ViewOf(5, Authority, Me));
        Assert.Null(_me.View);
    }

    [Fact]
    public void A_new_view_and_a_repeated_one_are_reported()
    {
        Join();
        _outside.Sent.Clear();
        _me.Receive(_now, Authority.Address, _me.View with { Version = 6 });
        _me.Receive(_now, Authority.Address, _me.View);
        Assert.Equal([6, 6], _outside.Sent.Select(each => ((Report)each.Message).Version));
    }

    [Fact]
    public void A_successor_takes_over_and_writes_the_next_version()
    {
        Join();
        _me.Receive(_now, Authority.Address,
            (_me.View with { Term = 2, Version = 6, Authority = Me }).WithStatus(Authority, MemberStatus.Leaving));
        Assert.True(_me.IsAuthority);
        Assert.Null(_me.View.Find(Authority));
        Assert.Equal((2, 7), (_me.View.Term, _me.View.Version));
        var written = _me.View;
        _me.Receive(_now, Other.Address, written with { Term = 3, Authority = Other }); // nobody writes beside it
        Assert.Same(written, _me.View);
    }

    [Fact]
    public void A_departed_incarnation_is_not_let_in_but_another_one_is()
    {
        Found();
        Admit(Other);
        _me.Down(_now, Other.Address);
        Admit(Other);
        Assert.Equal([Me], _me.View.Members.Select(member => member.UniqueAddress));
        Admit(Node(3, uid: 99));
        Assert.Equal([Me, Node(3, uid: 99)], _me.View.Members.Select(member => member.UniqueAddress));
    }

    [Fact]
    public void Who_asks_in_the_name_of_another_is_ignored()
    {
        Found();
        _me.Receive(_now, Authority.Address, new Join(Other, [], []));
        Assert.Single(_me.View.Members);
    }

    [Fact]
    public void An_incarnation_that_knocked_at_one_cluster_does_not_join_or_found_another()
    {
        _me.JoinSeeds(_now, [Me.Address, Other.Address]);
        _me.Receive(_now, Other.Address, new InitJoinAck(Id, Authority.Address));
        Assert.IsType<Join>(_outside.Sent[^1].Message);
        Wait(1.2);
        _me.Receive(_now, Other.Address, new InitJoinAck(new ClusterId(1, Other), Other.Address));
        Assert.Equal(MemberStatus.Down, _outside.EndedAs);
        _me.JoinTo(_now, Me.Address);
        Assert.True(_me.IsEnded);
    }

    [Fact]
    public void A_dead_authority_that_seeds_still_name_holds_nobody_up_for_good()
    {
        _me.JoinSeeds(_now, [Me.Address, Other.Address]);
        _me.Receive(_now, Other.Address, new InitJoinAck(Id, Authority.Address));
        Wait(2);
        Assert.False(_me.IsEnded);
        Wait(1);
        Assert.True(_me.IsEnded);
    }

    [Fact]
    public void What_is_long_lost_is_lost_though_the_transport_never_said_so()
    {
        Found();
        Admit(Other); // never connected
        Wait(2.9);
        Assert.Empty(_me.View.Unreachable);
        Wait(0.15);
        Assert.Equal([Other], _me.View.Unreachable);
        Wait(0.3);
        Assert.Null(_me.View.Find(Other));
        Assert.Equal([Other], _outside.Gone);
    }

    [Fact]
    public void Membership_messages_survive_the_wire()
    {
        var view = ViewOf(5, Authority, Me, Other).Without(Other, MemberStatus.Down) with { Unreachable = [Me], Seeds = [Me.Address] };
        foreach (var message in new object[]
        {
            InitJoin.Instance, new InitJoinAck(Id, Other.Address), new Report(Me, Id, 3, long.MaxValue),
            new Dismiss(Other, MemberStatus.Exiting), new Announce(Id, Authority, HasKeeper: true, IsAnswer: false),
        })
        {
            Assert.Equal(message, Copy(message));
        }
        var join = (Join)Copy(new Join(Me, ["a", "b"], [Other.Address]));
        Assert.Equal((Me, true), (join.Node, join.Roles.SetEquals(["a", "b"])));
        Assert.Equal([Other.Address], join.Seeds);
        var copy = (View)Copy(view);
        Assert.Equal((view.Id, view.Term, view.Version, view.Authority), (copy.Id, copy.Term, copy.Version, copy.Authority));
        Assert.Equal(view.Members.Select(member => member.ToString()), copy.Members.Select(member => member.ToString()));
        Assert.Equal(view.Departed, copy.Departed);
        Assert.Equal(view.Seeds, copy.Seeds);
        Assert.Equal(view.Unreachable, copy.Unreachable);
    }

    [Fact]
    public void Damaged_messages_are_refused_and_do_nothing_worse()
    {
        var random = new Random(1);
        var bytes = Encode(ViewOf(5, Authority, Me, Other), out var codec);
        var refused = 0;
        for (var i = 0; i < 2000; i++)
        {
            var damaged = bytes.ToArray();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var length = random.Next(2) == 0 ? damaged.Length : random.Next(damaged.Length);
            try
            {
                codec.Read(default, new ReadOnlySequence<byte>(damaged, 0, length));
            }
            catch (Exception e) when (e is MessagePack.MessagePackSerializationException or EndOfStreamException or OverflowException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1000, 2000);
    }

    [Fact]
    public void Another_member_is_dismissed_again_and_again_until_it_is_gone()
    {
        Join();
        _outside.Sent.Clear();
        _me.Down(_now, Other.Address);
        Wait(3);
        var dismissals = _outside.Sent.Where(each => each.Message is Dismiss).ToArray();
        Assert.InRange(dismissals.Length, 3, 30);
        Assert.All(dismissals, each =>
            Assert.Equal((Authority.Address, new Dismiss(Other, MemberStatus.Down)), (each.To, (Dismiss)each.Message)));
        _me.Receive(_now, Authority.Address, (_me.View with { Version = 6 }).Without(Other, MemberStatus.Down));
        _outside.Sent.Clear();
        Wait(3);
        Assert.DoesNotContain(_outside.Sent, each => each.Message is Dismiss);
    }

    [Fact]
    public void A_successor_dismisses_whom_it_wanted_to_go()
    {
        Join();
        _me.Down(_now, Other.Address);
        _me.Receive(_now, Authority.Address, _me.View with { Term = 2, Version = 6, Authority = Me });
        Assert.Equal([Authority, Me], _me.View.Members.Select(member => member.UniqueAddress));
        Assert.Equal(MemberStatus.Down, _me.View.FindDeparted(Other)?.As);
    }

    private static UniqueAddress Node(int port, int uid = 0) => new(AddressOf(port), uid == 0 ? 1000 + port : uid);

    private static View ViewOf(long version, params UniqueAddress[] nodes) => new()
    {
        Id = Id,
        Term = 1,
        Version = version,
        Authority = Authority,
        LastUpNumber = nodes.Length,
        Members = [.. nodes.Select((node, i) => new Member(node, i + 1, MemberStatus.Up, ["actor", "x" + i]))],
    };

    private static byte[] Encode(object message, out EngineCodec codec)
    {
        codec = EngineCodecs.ByType[message.GetType()];
        var output = new ArrayBufferWriter<byte>();
        codec.Write(null, message, output);
        return output.WrittenSpan.ToArray();
    }

    private static object Copy(object message)
    {
        var bytes = Encode(message, out var codec);
        return codec.Read(default, new ReadOnlySequence<byte>(bytes));
    }

    private void Join()
    {
        _me.JoinSeeds(_now, [Other.Address]);
        _me.Receive(_now, Other.Address, new InitJoinAck(Id, Authority.Address));
        _me.Receive(_now, Authority.Address, ViewOf(5, Authority, Me, Other));
        Assert.NotNull(_me.View);
    }

    private void Found()
    {
        _me.JoinTo(_now, Me.Address);
        Assert.True(_me.IsAuthority);
    }

    private void Admit(UniqueAddress node) => _me.Receive(_now, node.Address, new Join(node, [], []));

    private void Wait(double seconds)
    {
        for (var end = _now + TimeSpan.FromSeconds(seconds); _now < end; _me.Tick(_now)) _now += TimeSpan.FromMilliseconds(50);
    }

    private sealed class Outside : IOutside
    {
        public List<(Address To, object Message)> Sent { get; } = [];

        public List<UniqueAddress> Gone { get; } = [];

        public MemberStatus? EndedAs { get; private set; }

        public long WallClock => 12345;

        public void Send(Address peer, object message) => Sent.Add((peer, message));

        public void Keep(Address peer)
        {
        }

        public void Release(Address peer)
        {
        }

        public void Changed(View before, View after)
        {
        }

        public void Ended(View last, MemberStatus goneAs) => EndedAs = goneAs;

        public void Log(LogLevel level, string text)
        {
        }

        void IOutside.Gone(UniqueAddress node) => Gone.Add(node);
    }
}

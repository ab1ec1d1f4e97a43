using Akka.Actor;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>What the simulated network does to messages.</summary>
public sealed class NetworkSpecs
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Messages_that_are_dropped_leave_the_others_in_order_and_single(ulong seed)
    {
        using var at = new SimulatedRemoteHarness(seed);
        var (got, remote) = Counter(at);
        at.Simulation.Network.DropProbability = 0.3;
        for (var i = 0; i < 1000; i++) remote.Tell(new Note(i.ToString()), ActorRefs.NoSender);
        at.Advance(Second);
        Assert.InRange(got.Count, 600, 800);
        Assert.Equal(got.Order(), got);
        Assert.Equal(got.Count, got.Distinct().Count());
        Assert.True(at.Simulation.Network.MessagesLost >= 200);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void What_waits_for_a_peer_is_bounded(bool isConnected)
    {
        using var at = new SimulatedRemoteHarness(1) { Options = new() { Wire = new NoteWire(), MaxQueuedBytes = 1000 } };
        var (got, remote) = Counter(at);
        at.Simulation.Network.Cut(at.System, at.There);
        if (!isConnected) at.Simulation.Network.Break(at.System, at.There);
        for (var i = 0; i < 20; i++) remote.Tell(new Note(i.ToString().PadLeft(100)), ActorRefs.NoSender);
        at.Advance(50);
        Assert.Equal(10, RemoteHarness.HubOf(at.System).Transport.Counters.Dropped);
        at.Simulation.Network.Heal();
        at.Advance(Second);
        Assert.Equal(Enumerable.Range(0, 10), got);
    }

    [Fact]
    public void Systems_that_came_and_went_are_forgotten()
    {
        const int count = 400;
        using var at = new SimulatedRemoteHarness(1);
        var hub = RemoteHarness.HubOf(at.System);
        var probe = at.Probe();
        var first = at.RefOf(at.Act(act => act.OnAny(_ => { })), at.System, at.There);
        for (var i = 0; i < count; i++)
        {
            var there = at.NewSystem("node");
            var remote = at.RefOf(at.ActOn(there, act => act.OnAny(_ => { })), there);
            probe.Do(context => context.Watch(remote));
            at.Advance(20);
            at.Crash(there);
            Assert.Equal(remote, probe.ExpectMsg<Terminated>().ActorRef);
        }
        Assert.InRange(hub.Peers.Count(), 1, 150);
        Assert.True(hub.PeerOf(RemoteHarness.AddressOf(at.There)).IsConnected);
    }

    [Fact]
    public void Messages_of_different_pairs_overtake_each_other()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var senders = Enumerable.Range(0, 20).Select(i => at.Probe().Ref).ToArray();
        for (var i = 0; i < senders.Length; i++) remote.Tell(new Note(i.ToString()), senders[i]);
        at.Advance(Second);
        Assert.Equal(Enumerable.Range(0, 20), got.Order());
        Assert.NotEqual(got.Order(), got);
    }

    [Fact]
    public void A_message_that_is_changed_after_Tell_arrives_changed()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var note = new Note("1");
        remote.Tell(note, ActorRefs.NoSender);
        note.Text = "2";
        at.Advance(Second);
        Assert.Equal([2], got);
    }

    [Fact]
    public void A_message_takes_the_latency_and_the_time_of_its_bytes()
    {
        using var at = new SimulatedRemoteHarness(1);
        var network = at.Simulation.Network;
        var (got, remote) = Counter(at);
        (network.MinLatency, network.MaxLatency) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        at.Advance(9.9);
        Assert.Empty(got);
        at.Advance(0.1);
        Assert.Equal([1], got);
        network.BytesPerSecond = 1000;
        var hundred = new Note(new string('0', 99) + "2");
        remote.Tell(hundred, ActorRefs.NoSender);
        remote.Tell(hundred, ActorRefs.NoSender);
        at.Advance(10 + 100);
        Assert.Equal([1, 2], got);
        at.Advance(99);
        Assert.Equal([1, 2], got);
        at.Advance(1);
        Assert.Equal([1, 2, 2], got);
    }

    [Fact]
    public void A_partition_shorter_than_the_silence_limit_delays_and_loses_nothing()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var seen = Observe(at.System);
        at.Simulation.Network.Partition([at.System], [at.There]);
        for (var i = 0; i < 10; i++) remote.Tell(new Note(i.ToString()), ActorRefs.NoSender);
        at.Advance(Second);
        Assert.Empty(got);
        at.Simulation.Network.Heal();
        at.Advance(Second);
        Assert.Equal(Enumerable.Range(0, 10), got);
        at.Advance(10 * Second);
        Assert.Empty(seen);
    }

    [Fact]
    public void What_a_partition_holds_back_is_not_overtaken_by_what_is_under_way_when_it_heals()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        at.Simulation.Network.MaxLatency = TimeSpan.FromMilliseconds(10);
        at.Simulation.Network.Partition([at.System], [at.There]);
        remote.Tell(new Note("0"), ActorRefs.NoSender);
        at.Advance(20);
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        at.Simulation.Network.Heal();
        remote.Tell(new Note("2"), ActorRefs.NoSender);
        at.Advance(Second);
        Assert.Equal([0, 1, 2], got);
    }

    [Fact]
    public void A_longer_one_disconnects_both_sides_until_it_heals()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var (here, there) = (Observe(at.System), Observe(at.There));
        RemoteHarness.HubOf(at.System).Keep(remote.Path.Address);
        at.Simulation.Network.Partition([at.System], [at.There]);
        at.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Empty(here.Concat(there));
        at.Advance(Second);
        Assert.Equal(("Disconnected", "Disconnected"), (Assert.Single(here), Assert.Single(there)));
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        at.Advance(5 * Second);
        at.Simulation.Network.Heal();
        at.Advance(2 * Second);
        Assert.Equal(["Disconnected", "Connected"], here);
        Assert.Equal(["Disconnected", "Connected"], there);
        Assert.Empty(got);
        remote.Tell(new Note("2"), ActorRefs.NoSender);
        at.Advance(Second);
        Assert.Equal([2], got);
    }

    [Fact]
    public void A_cut_in_one_direction_is_noticed_by_both()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var (here, there) = (Observe(at.System), Observe(at.There));
        at.Simulation.Network.Cut(at.There, at.System);
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        at.Advance(Second);
        Assert.Equal([1], got);
        at.Advance(3 * Second);
        Assert.Equal(("Disconnected", "Disconnected"), (Assert.Single(here), Assert.Single(there)));
    }

    [Fact]
    public void A_connection_that_breaks_loses_what_is_under_way_and_is_made_anew()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var (here, there) = (Observe(at.System), Observe(at.There));
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        at.Simulation.Network.Break(at.System, at.There);
        remote.Tell(new Note("2"), ActorRefs.NoSender);
        at.Advance(Second);
        Assert.Equal([2], got);
        Assert.Empty(here.Concat(there));
    }

    [Fact]
    public void A_watch_outlives_broken_connections_and_lost_messages()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (_, remote) = Counter(at);
        var probe = at.Probe();
        probe.Watch(remote);
        at.Simulation.Network.DropProbability = 0.8;
        at.Simulation.Network.Break(at.System, at.There);
        at.There.Stop(at.Counting);
        at.Advance(Second);
        at.Simulation.Network.Break(at.System, at.There);
        at.Advance(120 * Second);
        Assert.Equal(new Terminated(remote, existenceConfirmed: true, addressTerminated: false), probe.ExpectMsg<Terminated>());
        probe.ExpectNoMsg();
    }

    [Theory, InlineData(false, 0.3), InlineData(true, 3)]
    public void A_crash_is_noticed_by_the_break_or_by_the_silence(bool silent, double seconds)
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var seen = Observe(at.System);
        var stopped = false;
        var ticks = 0;
        at.ActOn(at.There, act =>
        {
            act.Stopped = () => stopped = true;
            act.OnAny(_ => ticks++);
            act.Starting = () => act.Timers.StartPeriodicTimer(0, "tick", TimeSpan.FromMilliseconds(10));
        });
        at.Advance(100);
        var before = ticks;
        Assert.True(before > 0);
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        at.Crash(at.There, silent);
        at.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(5));
        Assert.Empty(seen);
        at.Advance(10);
        Assert.Equal(["Disconnected"], seen);
        at.Advance(Second);
        Assert.Equal((before, false, 0), (ticks, stopped, got.Count));
    }

    [Fact]
    public void A_new_system_takes_the_place_of_one_that_fell_silent()
    {
        using var at = new SimulatedRemoteHarness(1);
        var (got, remote) = Counter(at);
        var seen = Observe(at.System);
        RemoteHarness.HubOf(at.System).Keep(remote.Path.Address);
        at.Crash(at.There, silent: true);
        var next = at.NewSystem("there", remote.Path.Address.Port.Value);
        Assert.NotEqual(RemoteHarness.HubOf(at.There).Transport.Uid, RemoteHarness.HubOf(next).Transport.Uid);
        remote.Tell(new Note("1"), ActorRefs.NoSender);
        next.ActorSelection(RemoteHarness.AddressOf(at.System) + "/user/nobody").Tell(new Note("hello"), ActorRefs.NoSender);
        at.Advance(100);
        Assert.Equal(["Disconnected", "Connected"], seen);
        Assert.Empty(got);
    }

    [Fact]
    public void Systems_that_do_not_belong_together_do_not_connect()
    {
        using var at = new SimulatedRemoteHarness(1);
        var other = at.Simulation.CreateSystem("other", new()
        {
            Remote = new() { Wire = new NoteWire { Version = 2 }, BindPort = 4711 },
        });
        var resolving = at.System.ActorSelection("akka.tcp://other@127.0.0.1:4711/user").ResolveOne(Second);
        Assert.Throws<ActorNotFoundException>(() => at.Result(resolving));
        other.Terminate();
        Assert.Throws<InvalidOperationException>(() => at.NewSystem("third", RemoteHarness.AddressOf(at.System).Port.Value));
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        var (hash, log) = Chatter(7);
        Assert.Equal(hash, Chatter(7).Hash);
        Assert.Equal(log, Chatter(7).Log);
        Assert.NotEqual(hash, Chatter(8).Hash);
        Assert.NotEqual(log, Chatter(8).Log);
    }

    /// <summary>Four nodes pass notes around a lossy network; one crashes and returns, others are partitioned.</summary>
    private static (ulong Hash, string Log) Chatter(ulong seed)
    {
        using var at = new SimulatedRemoteHarness(seed);
        var network = at.Simulation.Network;
        var log = new List<string>();
        var nodes = new ActorSystem[4];
        for (var i = 0; i < nodes.Length; i++) nodes[i] = Node(i);
        network.DropProbability = 0.02;
        for (var i = 0; i < 40; i++) nodes[i % 4].ActorSelection("/user/chatter").Tell(new Note("200"));
        at.Advance(20);
        network.Partition([nodes[0], nodes[1]], [nodes[2], nodes[3]]);
        at.Advance(20);
        at.Crash(nodes[3]);
        network.Heal();
        nodes[3] = Node(3);
        at.Advance(Second);
        return (at.Simulation.MessageHash, string.Join(' ', log));

        ActorSystem Node(int index)
        {
            var system = at.NewSystem("node-" + index, 5000 + index);
            at.ActOn(system, act => act.On<Note>(note =>
            {
                log.Add($"{index}:{note.Text}");
                var hops = int.Parse(note.Text);
                if (hops == 0) return;
                var next = ((index * 3) + hops) % 4;
                system.ActorSelection($"akka.tcp://node-{next}@127.0.0.1:{5000 + next}/user/chatter").Tell(new Note((hops - 1).ToString()));
            }), "chatter");
            return system;
        }
    }

    /// <summary>An actor of another system that keeps the numbers that it is told.</summary>
    private static (List<int> Got, IActorRef Remote) Counter(SimulatedRemoteHarness at)
    {
        var got = new List<int>();
        at.Counting = at.ActOn(at.There, act => act.On<Note>(note => got.Add(int.Parse(note.Text))));
        return (got, at.RefOf(at.Counting, at.There));
    }

    private static List<string> Observe(ActorSystem system)
    {
        var seen = new List<string>();
        RemoteHarness.HubOf(system).Observer = new Observer(seen);
        return seen;
    }

    private sealed class Observer(List<string> seen) : IPeerObserver
    {
        public void Connected(Address peer, int uid) => seen.Add("Connected");

        public void Disconnected(Address peer, int uid, string reason) => seen.Add("Disconnected");

        public bool IsMember(Address peer) => false;
    }
}

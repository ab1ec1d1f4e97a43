using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

public sealed class SimulationSpecs
{
    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        var (hash, steps, log) = Gossip(17);
        Assert.Equal((hash, steps), (Gossip(17).Hash, Gossip(17).Steps));
        Assert.Equal(log, Gossip(17).Log);
        Assert.NotEqual(hash, Gossip(18).Hash);
        Assert.NotEqual(log, Gossip(18).Log);
    }

    [Fact]
    public void Time_stands_still_while_actors_work_and_jumps_to_the_next_timer()
    {
        var simulation = EmbeddedEngine.Simulate(1);
        var system = simulation.CreateSystem("spec");
        var start = simulation.Now;
        var times = new List<TimeSpan>();
        var actor = system.ActorOf(Act.Of(act => act.OnAny(_ => times.Add(act.Ctx.System.Scheduler.Now - start))));
        system.Scheduler.ScheduleTellOnce(TimeSpan.FromHours(1), actor, "timer", ActorRefs.NoSender);
        for (var i = 0; i < 100; i++) actor.Tell(i);
        Assert.True(simulation.RunUntil(() => times.Count == 100, TimeSpan.Zero));
        Assert.All(times, time => Assert.Equal(TimeSpan.Zero, time));
        Assert.False(simulation.RunUntil(() => times.Count == 101, TimeSpan.FromMinutes(59)));
        Assert.Equal(TimeSpan.FromMinutes(59), simulation.Now - start);
        Assert.True(simulation.RunUntil(() => times.Count == 101, TimeSpan.FromHours(9)));
        Assert.Equal(TimeSpan.FromHours(1), times[100]);
        Assert.Equal(TimeSpan.FromHours(1), simulation.Now - start);
        Assert.True(simulation.StepsTaken >= 101);
    }

    [Fact]
    public void Two_systems_share_one_clock_and_one_thread()
    {
        var simulation = EmbeddedEngine.Simulate(1);
        var (one, two) = (simulation.CreateSystem("one"), simulation.CreateSystem("two"));
        var log = new List<string>();
        one.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(2), one.ActorOf(Act.Of(act => act.OnAny(_ => log.Add("one")))), 0,
            ActorRefs.NoSender);
        two.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(1), two.ActorOf(Act.Of(act => act.OnAny(_ => log.Add("two")))), 0,
            ActorRefs.NoSender);
        simulation.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(["two", "one"], log);
        one.Terminate();
        simulation.Advance(TimeSpan.Zero);
        Assert.True(one.WhenTerminated.IsCompleted && !two.WhenTerminated.IsCompleted);
    }

    [Fact]
    public void Timers_of_its_TimeProvider_fire_in_virtual_time()
    {
        var simulation = EmbeddedEngine.Simulate(1);
        var ticks = 0;
        using (simulation.TimeProvider.CreateTimer(_ => ticks++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)))
        {
            simulation.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(3, ticks);
            Assert.Equal(simulation.Now, simulation.TimeProvider.GetUtcNow());
        }
        simulation.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(3, ticks);
    }

    [Fact]
    public void With_a_cost_a_message_restless_actors_do_not_stop_the_clock()
    {
        var simulation = EmbeddedEngine.Simulate(1);
        simulation.MessageCost = TimeSpan.FromMilliseconds(1);
        var system = simulation.CreateSystem("spec");
        var (turns, ticks) = (0, 0);
        system.ActorOf(Act.Of(act => act.OnAny(message =>
        {
            turns++;
            act.Me.Tell(message);
        }))).Tell("on and on");
        system.Scheduler.ScheduleTellRepeatedly(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100),
            system.ActorOf(Act.Of(act => act.OnAny(_ => ticks++))), 0, ActorRefs.NoSender);
        simulation.Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(turns, 900, 1000);
        Assert.InRange(ticks, 8, 10);
    }

    [Fact]
    public void A_message_from_another_thread_is_refused()
    {
        var simulation = EmbeddedEngine.Simulate(1);
        var system = simulation.CreateSystem("spec");
        var target = system.ActorOf(Act.Of(act => act.OnAny(_ => { })));
        Exception refused = null;
        var starter = system.ActorOf(Act.Of(act => act.OnAny(_ =>
        {
            var thread = new Thread(() => refused = Record.Exception(() => target.Tell("from elsewhere", ActorRefs.NoSender)));
            thread.Start();
            thread.Join();
        })));
        simulation.Advance(TimeSpan.Zero);
        starter.Tell("go");
        simulation.Advance(TimeSpan.Zero);
        Assert.IsType<InvalidOperationException>(refused);
    }

    /// <summary>Twenty actors pass numbers on to each other, with timers in between.</summary>
    private static (ulong Hash, long Steps, List<string> Log) Gossip(ulong seed)
    {
        var simulation = EmbeddedEngine.Simulate(seed);
        var system = simulation.CreateSystem("spec");
        var log = new List<string>();
        var actors = new IActorRef[20];
        for (var i = 0; i < actors.Length; i++)
        {
            var index = i;
            actors[i] = system.ActorOf(Act.Of(act =>
            {
                act.On<int>(hops =>
                {
                    log.Add($"{index}:{hops}");
                    if (hops == 0) return;
                    if (hops % 3 == 0) act.Timers.StartSingleTimer(hops, hops - 1, TimeSpan.FromMilliseconds(hops));
                    else actors[(index * 7 + hops) % actors.Length].Tell(hops - 1);
                });
            }), "actor-" + i);
        }
        foreach (var actor in actors) actor.Tell(20);
        simulation.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(20 * 21, log.Count);
        return (simulation.MessageHash, simulation.StepsTaken, log);
    }
}

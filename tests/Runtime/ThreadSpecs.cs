using System.Collections.Concurrent;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>What only threads can break.</summary>
public sealed class ThreadSpecs
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory, InlineData(Harness.Pool), InlineData(Harness.Pinned)]
    public void Many_threads_lose_nothing_and_keep_each_ones_order(string dispatcher)
    {
        const int threads = 4, each = 50_000;
        using var at = new ThreadedHarness();
        var (next, wrong, inside) = (new int[threads], 0, 0);
        var total = 0;
        var actor = at.System.ActorOf(Act.Of(act => act.On<(int Thread, int Number)>(message =>
        {
            if (Interlocked.Increment(ref inside) != 1 || next[message.Thread]++ != message.Number) wrong++;
            Interlocked.Decrement(ref inside);
            Volatile.Write(ref total, total + 1);
        })).WithDispatcher(dispatcher));
        var senders = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (var i = 0; i < each; i++) actor.Tell((thread, i), ActorRefs.NoSender);
        })).ToList();
        senders.ForEach(sender => sender.Start());
        senders.ForEach(sender => sender.Join());
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref total) == threads * each, Deadline));
        Assert.Equal(0, wrong);
        at.Settle();
        Assert.Equal(threads * each, total);
    }

    [Fact]
    public void A_web_of_actors_on_both_kinds_of_dispatchers_loses_nothing()
    {
        const int count = 16, hops = 2_000;
        using var at = new ThreadedHarness();
        var ended = 0;
        var actors = new IActorRef[count];
        for (var i = 0; i < count; i++)
        {
            var index = i;
            actors[i] = at.System.ActorOf(Act.Of(act => act.On<int>(left =>
            {
                if (left == 0) Interlocked.Increment(ref ended);
                else actors[(index * 5 + left) % count].Tell(left - 1);
            })).WithDispatcher(i % 2 == 0 ? Harness.Pool : Harness.Pinned));
        }
        foreach (var actor in actors) actor.Tell(hops);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref ended) == count, Deadline));
    }

    [Fact]
    public void Every_message_to_a_dying_actor_is_handled_or_a_dead_letter()
    {
        const int threads = 4, each = 5_000;
        using var at = new ThreadedHarness();
        for (var round = 0; round < 4; round++)
        {
            var (handled, lost) = (0, 0);
            var letters = at.System.ActorOf(Act.Of(act => act.On<Akka.Event.DeadLetter>(_ => Interlocked.Increment(ref lost))));
            at.System.EventStream.Subscribe(letters, typeof(Akka.Event.DeadLetter));
            var actor = at.System.ActorOf(Act.Of(act => act.On<int>(_ => Interlocked.Increment(ref handled)))
                .WithDispatcher(round % 2 == 0 ? Harness.Pool : Harness.Pinned));
            var senders = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
            {
                for (var i = 0; i < each; i++)
                {
                    actor.Tell(i, ActorRefs.NoSender);
                    if (thread == 0 && i == each / 2) at.System.Stop(actor);
                }
            })).ToList();
            senders.ForEach(sender => sender.Start());
            senders.ForEach(sender => sender.Join());
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref handled) + Volatile.Read(ref lost) == threads * each, Deadline),
                $"handled {handled}, lost {lost} of {threads * each}");
            at.System.Stop(letters);
        }
    }

    [Fact]
    public void A_pinned_actor_has_a_thread_of_its_own_until_it_ends()
    {
        var at = new ThreadedHarness();
        var threads = new ConcurrentBag<Thread>();
        var actors = Enumerable.Range(0, 3).Select(_ => at.System.ActorOf(
            Act.Of(act => act.OnAny(_ => threads.Add(Thread.CurrentThread))).WithDispatcher(Harness.Pinned))).ToList();
        for (var i = 0; i < 5; i++) actors.ForEach(actor => actor.Tell(i));
        Assert.True(SpinWait.SpinUntil(() => threads.Count == 15, Deadline));
        Assert.Equal(3, threads.Distinct().Count());
        Assert.All(threads, thread => Assert.StartsWith("spec-" + Harness.Pinned, thread.Name));
        at.Dispose();
        Assert.All(threads, thread => Assert.False(thread.IsAlive));
    }

    [Fact]
    public void Actors_on_the_pool_answer_while_pinned_ones_compute()
    {
        using var at = new ThreadedHarness();
        using var released = new ManualResetEventSlim();
        var busy = Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => at.System.ActorOf(
            Act.Of(act => act.OnAny(_ => released.Wait(Deadline))).WithDispatcher(Harness.Pinned))).ToList();
        busy.ForEach(actor => actor.Tell("compute"));
        var answer = at.Act(act => act.OnAny(message => act.From.Tell(message))).Ask<string>("still there?");
        Assert.True(SpinWait.SpinUntil(() => answer.IsCompleted, Deadline));
        released.Set();
    }

    [Fact]
    public void On_the_system_clock_timers_fire()
    {
        using var system = EmbeddedEngine.Create("real");
        var fired = new ConcurrentQueue<TimeSpan>();
        var actor = system.ActorOf(Act.Of(act => act.OnAny(_ => fired.Enqueue(act.Ctx.System.Scheduler.MonotonicClock))));
        var start = system.Scheduler.MonotonicClock;
        system.Scheduler.ScheduleTellRepeatedly(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(5), actor, 0, ActorRefs.NoSender);
        Assert.True(SpinWait.SpinUntil(() => fired.Count >= 5, Deadline));
        Assert.All(fired, at => Assert.True(at - start >= TimeSpan.FromMilliseconds(20)));
        var end = system.Terminate();
        Assert.True(SpinWait.SpinUntil(() => end.IsCompleted, Deadline));
    }
}

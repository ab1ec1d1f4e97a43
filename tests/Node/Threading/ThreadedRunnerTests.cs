using Rl.Distributed.Node.Threading;

namespace Rl.Distributed.Node.Tests.Threading;

public sealed class ThreadedRunnerTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(5)]
    public void Every_shard_runs_once(int degree)
    {
        using var runner = new ThreadedRunner(degree);
        Assert.Equal(degree, runner.Degree);
        var runs = new int[100];
        for (var round = 0; round < 2000; round++)
        {
            var count = round % runs.Length;
            runner.Run(count, i => Interlocked.Increment(ref runs[i]));
            for (var i = 0; i < runs.Length; i++) Assert.Equal(i < count ? 1 : 0, runs[i]);
            Array.Clear(runs);
        }
    }

    [Fact]
    public void Shards_run_at_the_same_time()
    {
        using var runner = new ThreadedRunner(2);
        using var both = new Barrier(2);
        runner.Run(2, _ => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(20))));
    }

    [Fact]
    public void An_exception_of_a_shard_is_thrown_after_all_have_ended()
    {
        using var runner = new ThreadedRunner(3);
        var ended = 0;
        var e = Assert.Throws<InvalidOperationException>(() => runner.Run(20, i =>
        {
            Interlocked.Increment(ref ended);
            if (i == 7) throw new InvalidOperationException("seven");
        }));
        Assert.Equal(("seven", 20), (e.Message, ended));
        runner.Run(20, _ => Interlocked.Increment(ref ended));
        Assert.Equal(40, ended);
    }

    [Fact]
    public void Calls_within_a_shard_and_from_other_threads_end()
    {
        using var runner = new ThreadedRunner(3);
        var runs = 0;
        var other = new Thread(() =>
        {
            for (var i = 0; i < 200; i++) runner.Run(10, _ => Interlocked.Increment(ref runs));
        });
        other.Start();
        for (var i = 0; i < 200; i++) runner.Run(5, _ => runner.Run(2, _ => Interlocked.Increment(ref runs)));
        other.Join();
        Assert.Equal(4000, runs);
    }

    [Fact]
    public void A_call_allocates_nothing()
    {
        using var runner = new ThreadedRunner(2);
        Action<int> body = _ => { };
        for (var i = 0; i < 100; i++) runner.Run(8, body);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) runner.Run(8, body);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_disposed_runner_refuses_work()
    {
        var runner = new ThreadedRunner(2);
        runner.Dispose();
        runner.Dispose();
        Assert.Throws<ObjectDisposedException>(() => runner.Run(2, _ => { }));
    }
}

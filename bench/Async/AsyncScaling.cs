using System.Diagnostics;
using System.Globalization;
using Rl.Distributed.Actors.AsyncLearners;

namespace Rl.Distributed.Bench.Async;

/// <summary>What two threads that share parameters do beside one, and beside two with parameters of their own.</summary>
/// <remarks>Threads begin each segment together, so that they meet on the same cache lines even where other programs take the cores away
/// now and then; of the rounds' times a low quantile counts, which such interruptions do not reach.</remarks>
internal static class AsyncScaling
{
    private const int Rounds = 4000, WarmUp = 1000;
    private const double Quantile = 0.2;

    public static void Run(AsyncArguments arguments)
    {
        // The first time is the compiler's.
        Measure(arguments, threads: 2, isPrivate: true);
        var alone = Measure(arguments, threads: 1, isPrivate: false);
        var shared = Measure(arguments, threads: 2, isPrivate: false);
        var own = Measure(arguments, threads: 2, isPrivate: true);
        var frames = arguments.Options.SegmentLength * arguments.Options.Environments * 1e6;
        Write($"  one thread        {alone,7:F1} µs a segment, {frames / alone,9:N0} frames/s");
        Write($"  two that share    {shared,7:F1} µs a segment, {2 * frames / shared,9:N0} frames/s, {2 * alone / shared:F2} x one");
        Write($"  two apart         {own,7:F1} µs a segment, {2 * frames / own,9:N0} frames/s, {2 * alone / own:F2} x one");
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static double Measure(AsyncArguments arguments, int threads, bool isPrivate)
    {
        var run = new AsyncRun(arguments, arguments.Seed);
        var groups = run.CreateGroups(threads, isPrivate);
        var times = new double[threads][];
        var arrived = 0;
        var workers = new Thread[threads];
        for (var i = 0; i < threads; i++)
        {
            var (group, own) = (groups[i], times[i] = new double[Rounds]);
            workers[i] = new Thread(() => RunRounds(group, own));
            workers[i].Start();
        }
        foreach (var worker in workers) worker.Join();
        double[] rounds = [.. Enumerable.Range(WarmUp, Rounds - WarmUp).Select(round => times.Max(own => own[round])).Order()];
        return rounds[(int)(rounds.Length * Quantile)];

        void RunRounds(LearnerGroup group, double[] own)
        {
            for (var round = 0; round < Rounds; round++)
            {
                Interlocked.Increment(ref arrived);
                while (Volatile.Read(ref arrived) < threads * (round + 1)) Thread.SpinWait(1);
                var began = Stopwatch.GetTimestamp();
                group.Run();
                own[round] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            }
        }
    }
}

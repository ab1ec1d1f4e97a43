namespace Rl.Distributed.Bench.Async;

/// <summary>Trains asynchronous learners on plain threads: for tuning, and for what sharing costs.</summary>
internal static class AsyncBench
{
    public static void Run(string[] words)
    {
        var arguments = new AsyncArguments(words);
        for (var i = 0UL; i < (ulong)arguments.Seeds; i++)
        {
            Console.WriteLine($"{string.Join(' ', words)}, seed {arguments.Seed + i}");
            new AsyncRun(arguments, arguments.Seed + i).Run();
        }
    }
}

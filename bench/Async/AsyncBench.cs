namespace Rl.Distributed.Bench.Async;

/// <summary>Trains asynchronous learners on plain threads: for tuning, and for what sharing costs.</summary>
internal static class AsyncBench
{
    public static void Run(string[] words)
    {
        if (words is ["scaling", .. var rest])
        {
            var measured = new AsyncArguments(rest);
            Console.WriteLine(string.Join(' ', words));
            AsyncScaling.Run(measured);
            return;
        }
        if (words is ["ablation", var path, .. var compared])
        {
            AsyncAblation.Run(path, compared);
            return;
        }
        if (words is ["epsilon", .. var looked])
        {
            AsyncEpsilon.Run(new AsyncArguments(looked), looked);
            return;
        }
        var arguments = new AsyncArguments(words);
        for (var i = 0UL; i < (ulong)arguments.Seeds; i++)
        {
            Console.WriteLine($"{string.Join(' ', words)}, seed {arguments.Seed + i}");
            new AsyncRun(arguments, arguments.Seed + i).Run();
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Bench.Processes;

/// <summary>Runs over several processes of this machine, beside the same runs in one process: frames a second, what goes over the links, and
/// how long it takes until the death or the arrival of a node is known.</summary>
internal sealed class NodesBench : IDisposable
{
    private const int Rounds = 3, Trials = 5;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3), Window = TimeSpan.FromSeconds(6);

    private readonly string _folder = Directory.CreateTempSubdirectory("rl-bench-").FullName;
    private readonly string _program;
    private int _runs;

    private NodesBench(string? program) => _program = program ?? Publish(Path.Combine(_folder, "rl"));

    /// <param name="words">Which of speed, faults, size; none: all. And the path of a published `rl`; without it one is published.</param>
    public static void Run(string[] words)
    {
        var names = words.Where(word => !word.Contains('/')).ToList();
        // Caught here, so that no process stays behind.
        try
        {
            using var bench = new NodesBench(words.FirstOrDefault(word => word.Contains('/')));
            if (IsWanted("size")) bench.Size();
            if (IsWanted("faults")) bench.Faults();
            if (!IsWanted("speed")) return;
            bench.Speed("impala-catch");
            bench.Speed("impala-breakout");
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException or AggregateException)
        {
            Console.Error.WriteLine(e);
            Environment.ExitCode = 1;
        }

        bool IsWanted(string name) => names.Count == 0 || names.Contains(name);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // As deploy/Dockerfile does it.
    private static string Publish(string folder)
    {
        using var publish = Process.Start(new ProcessStartInfo(
            "dotnet",
            ["publish", "src/Node/Rl.Distributed.Node.csproj", "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-p:PublishReadyToRun=true",
                "-v", "quiet", "--nologo", "-o", folder]))!;
        publish.WaitForExit();
        return publish.ExitCode == 0
            ? Path.Combine(folder, "rl")
            : throw new InvalidOperationException("Nothing was published: run this in the repository's root.");
    }

    private void Size()
    {
        var files = new DirectoryInfo(Path.GetDirectoryName(_program)!).GetFiles().Where(file => file.Extension != ".pdb");
        Show("published, without symbols and without .NET's own runtime", files.Sum(file => file.Length) / 1e6, "MB");
    }

    private void Speed(string preset)
    {
        var (ratios, processorRatios) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var one = Measure(preset, localWorkers: 2, nodes: 0, show: false);
            var many = Measure(preset, localWorkers: 0, nodes: 2, show: round == Rounds - 1);
            Console.WriteLine(
                $"{preset}: {one.Rate:N0} frames/s in one process ({one.Rate / one.Cores:N0} a core), "
                + $"{many.Rate:N0} ({many.Rate / many.Cores:N0}) in a learner's and two workers'");
            ratios.Add(many.Rate / one.Rate);
            processorRatios.Add(many.Rate / many.Cores / (one.Rate / one.Cores));
        }
        Show($"{preset}: ratio of frames/s (at least 0.7)", Median(ratios), "");
        Show($"{preset}: ratio of frames per second of processor time", Median(processorRatios), "");
    }

    /// <summary>Frames a second, and how many cores were busy with it.</summary>
    private (double Rate, double Cores) Measure(string preset, int localWorkers, int nodes, bool show)
    {
        var seed = nodes == 0 ? null : $"127.0.0.1:{FreePort.Next()}";
        using var learner = StartLearner(preset, seed, localWorkers);
        var actors = Enumerable.Range(0, nodes).Select(_ => StartActor(seed!)).ToList();
        try
        {
            learner.Until("training", () => learner.Frames > 0);
            Thread.Sleep(WarmUp);
            RlNode[] all = [learner, .. actors];
            var processor = all.Select(node => node.Processor).ToList();
            var (at, frames) = (Stopwatch.GetTimestamp(), learner.Frames);
            var (experience, weights) = (learner.Bytes("received", "experience"), learner.Bytes("sent", "weights"));
            Thread.Sleep(Window);
            var seconds = Stopwatch.GetElapsedTime(at).TotalSeconds;
            var rate = (learner.Frames - frames) / seconds;
            var cores = all.Select((node, i) => (node.Processor - processor[i]).TotalSeconds / seconds).ToList();
            if (!show) return (rate, cores.Sum());
            Show($"{preset}: experience on a link", (learner.Bytes("received", "experience") - experience) / seconds / nodes / 1e6, "MB/s");
            Show($"{preset}: weights on a link", (learner.Bytes("sent", "weights") - weights) / seconds / nodes / 1e6, "MB/s");
            Show($"{preset}: resident, an actor node", actors.Average(node => node.Resident) / 1e6, "MB");
            Show($"{preset}: cores, the learner's process", cores[0], "");
            Show($"{preset}: cores, an actor node", cores.Skip(1).Average(), "");
            return (rate, cores.Sum());
        }
        finally
        {
            foreach (var actor in actors) actor.Dispose();
        }
    }

    /// <summary>A run that one actor node keeps going, and others that come and go.</summary>
    private void Faults()
    {
        var seed = $"127.0.0.1:{FreePort.Next()}";
        using var learner = StartLearner("impala-catch", seed, 0);
        List<double> idle = [], killed = [], stopped = [], busy = [], replaced = [];
        learner.Says("has authority");
        for (var trial = 0; trial < Trials; trial++)
        {
            using var alone = StartActor(seed);
            idle.Add(FirstUnroll(learner, alone, alone.Address));
        }
        using var steady = StartActor(seed);
        for (var trial = 0; trial < Trials; trial++)
        {
            var actor = StartActor(seed);
            busy.Add(FirstUnroll(learner, actor, actor.Address));
            killed.Add(UntilGone(learner, actor, () => actor.Dispose()));

            actor = StartActor(seed);
            FirstUnroll(learner, actor, actor.Address);
            stopped.Add(UntilGone(learner, actor, () => actor.Signal(RlNode.SigStop)));
            actor.Dispose();

            var place = $"127.0.0.1:{FreePort.Next()}";
            actor = StartActor(seed, "--listen", place);
            var address = actor.Address;
            FirstUnroll(learner, actor, address);
            actor.Dispose();
            var before = learner.Bytes("received", "experience", address);
            var next = StartActor(seed, "--listen", place);
            replaced.Add(FirstUnroll(learner, next, address, before));
            UntilGone(learner, next, next.Dispose, address);
        }
        Show("from SIGKILL until the learner's run knows (under 1 s)", killed);
        Show("from SIGSTOP until the learner's run knows (under 5 s)", stopped);
        Show("from the start of an actor node to its first unroll, idle learner (under 1 s)", idle);
        Show("from the start of an actor node to its first unroll, mid-run", busy);
        Show("the same for a replacement on the port of one just killed (under 1 s)", replaced);
    }

    private static double FirstUnroll(RlNode learner, RlNode actor, string address, double before = 0)
    {
        learner.Until("got an unroll", () => learner.Bytes("received", "experience", address) is > 0 and var bytes && bytes != before);
        return Stopwatch.GetElapsedTime(actor.StartedAt).TotalSeconds;
    }

    private static double UntilGone(RlNode learner, RlNode actor, Action end, string? address = null)
    {
        address ??= actor.Address;
        var at = Stopwatch.GetTimestamp();
        end();
        learner.Says($"{address} is gone");
        return Stopwatch.GetElapsedTime(at).TotalSeconds;
    }

    private RlNode StartLearner(string preset, string? seed, int workers)
    {
        var run = Path.Combine(_folder, $"run{_runs++}");
        string[] listen = seed is null ? [] : ["--listen", seed];
        return new RlNode(
            _program, Path.Combine(run, "log.txt"), [
                "train", preset, "--frames", "1000000000000", "--run-dir", run, "--workers", $"{workers}", "--http", "127.0.0.1:0",
                "--set", "run.metricsSeconds=0.1", "--set", "run.checkpointSeconds=3600", .. listen]);
    }

    private RlNode StartActor(string seed, params string[] more) =>
        new(_program, null, ["node", "--join", seed, "--workers", "1", "--http", "127.0.0.1:0", .. more]);

    private static void Show(string what, List<double> seconds) =>
        Console.WriteLine($"{what,-80} {Median(seconds).ToString("0.000", CultureInfo.InvariantCulture),10} s, at most {seconds.Max():0.000}");

    private static void Show(string what, double value, string unit) =>
        Console.WriteLine($"{what,-80} {value.ToString("0.00", CultureInfo.InvariantCulture),10} {unit}");

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

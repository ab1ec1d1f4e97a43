using System.Text;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Rl.Distributed.Node.Output;

/// <summary>Progress redrawn in place a few times a second.</summary>
internal sealed class LiveDisplay : TrainingDisplay
{
    private const int CurveWidth = 60;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly IAnsiConsole _console;
    private readonly TrainingConfig _config;
    private readonly List<double> _returns = [];
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WarningLines _warnings;
    private TrainingProgress? _last;
    private Task _drawing = Task.CompletedTask;

    public LiveDisplay(TextWriter writer, TrainingConfig config)
    {
        _config = config;
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        _warnings = new WarningLines(_console);
    }

    public override TextWriter People => _warnings;

    public override void Start(string runDirectory, LoadedCheckpoint? resume)
    {
        _console.MarkupLineInterpolated(
            $"[bold]{_config.Preset}[/] on {_config.Environment.Name}, seed {_config.Seed}; run directory {runDirectory}");
        if (resume is not null) _console.MarkupLineInterpolated($"continuing from {Count(resume.Frames)} frames");
        _drawing = Task.Run(DrawAsync);
    }

    public override void Show(TrainingProgress progress)
    {
        lock (_lock)
        {
            _last = progress;
            _returns.Add(progress.MeanReturn100);
        }
    }

    public override void Stop()
    {
        _stop.Cancel();
        _drawing.Wait();
        _warnings.Drain();
    }

    public override void Summarize(TrainingResult result)
    {
        _console.MarkupLineInterpolated($"[bold]{Summary(result)}[/]");
        _console.MarkupLineInterpolated($"See it play: {CommandLine.Name} play {RunFolder.Display(result.RunDirectory ?? "")}");
    }

    private Task DrawAsync() => _console.Live(new Text("starting ...")).AutoClear(false).StartAsync(async context =>
    {
        while (!_stop.IsCancellationRequested)
        {
            _warnings.Drain();
            context.UpdateTarget(Picture());
            await Task.Delay(Interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        context.UpdateTarget(Picture());
    });

    private IRenderable Picture()
    {
        lock (_lock)
        {
            if (_last is not { } progress) return new Text("starting ...");
            var facts = new Grid().AddColumns(4);
            facts.AddRow("frames", Count(progress.Frames), "frames/s", Count(progress.FramesPerSecond));
            facts.AddRow("mean return (100)", Number(progress.MeanReturn100), "updates/s", Number(progress.UpdatesPerSecond));
            facts.AddRow("episodes", Count(progress.Episodes), "policy lag", Number(progress.PolicyLag));
            facts.AddRow("loss (pi, v, H)", $"{Number(progress.PolicyLoss)}, {Number(progress.ValueLoss)}, {Number(progress.Entropy)}",
                "gradient norm", Number(progress.GradientNorm));
            if (progress.Evaluation is { } greedy)
                facts.AddRow("greedy return", Number(greedy.MeanReturn), "at frames", Count(greedy.Frames));
            if (!double.IsNaN(progress.ShardSkew))
                facts.AddRow("skew of shards", Number(progress.ShardSkew), "greatest", Number(progress.ShardSkewMax));
            facts.AddRow("elapsed", Duration(progress.Elapsed), "left", progress.Remaining is { } left ? Duration(left) : "-");
            var share = progress.TotalFrames > 0 ? Math.Clamp((double)progress.Frames / progress.TotalFrames, 0, 1) : 0;
            return new Rows(
                new BreakdownChart().Width(CurveWidth).HideTags()
                    .AddItem("done", share, Color.Green).AddItem("left", 1 - share, Color.Grey23),
                facts,
                new Markup($"return [green]{Sparkline.Draw(_returns, CurveWidth)}[/]"));
        }
    }

    /// <summary>Keeps warnings until they can be written above what is redrawn.</summary>
    private sealed class WarningLines(IAnsiConsole console) : TextWriter
    {
        private readonly Queue<string> _lines = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            lock (_lines) _lines.Enqueue(value ?? "");
        }

        public void Drain()
        {
            lock (_lines)
            {
                while (_lines.TryDequeue(out var line)) console.MarkupLineInterpolated($"[yellow]{line}[/]");
            }
        }
    }
}

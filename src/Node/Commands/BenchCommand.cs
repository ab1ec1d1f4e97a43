using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Rl.Distributed.Node.Benchmarks;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl bench</c>: the speed of whole runs.</summary>
internal sealed class BenchCommand
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    private readonly CommandHost _host;
    private readonly Argument<string[]> _presets = new("PRESET")
    {
        Description = "Presets or YAML files; by default all presets.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<double> _seconds = new("--seconds")
    {
        Description = "How long each one runs, after two seconds of warm-up.",
        DefaultValueFactory = _ => 10,
        HelpName = "n",
    };
    private readonly Option<bool> _calibrate = new("--calibrate")
    {
        Description = "Measure the machine beside each run: FMA peak, memory bandwidth, loopback TCP.",
    };
    private readonly Option<bool> _json = new("--json") { Description = "The last line of standard output is one JSON object." };
    private readonly ConfigArguments _config = new();

    private BenchCommand(CommandHost host)
    {
        _host = host;
        Checks.Above0(_seconds);
    }

    public static Command Create(CommandHost host)
    {
        var bench = new BenchCommand(host);
        var command = new Command("bench", "Measures whole runs: frames a second.")
        {
            bench._presets, bench._seconds, bench._calibrate, bench._json,
        };
        bench._config.AddTo(command);
        command.SetAction(bench.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var presets = parsed.GetValue(_presets) is { Length: > 0 } named ? named : [.. Presets.Names];
        var overrides = _config.Overrides(parsed);
        var configs = presets.Select(preset => ConfigLoader.Load(preset, overrides)).ToList();
        var json = parsed.GetValue(_json);
        var people = json ? _host.Error : _host.Output;
        using var logger = Logs.ToPeople(_host.Error);
        var figures = new List<Figure>();
        foreach (var config in configs)
        {
            var measured = new List<Figure>();
            if (parsed.GetValue(_calibrate))
                measured.AddRange(Calibration.Measure().Select(figure => figure with { Name = $"{config.Preset}/{figure.Name}" }));
            measured.Insert(0, new Figure(
                config.Preset,
                await MeasureAsync(config, TimeSpan.FromSeconds(parsed.GetValue(_seconds)), logger, cancellationToken),
                "frames/s"));
            foreach (var figure in measured) people.WriteLine(Line(figure));
            figures.AddRange(measured);
        }
        if (json) _host.Output.WriteLine(JsonSerializer.Serialize(new { Results = figures }, JsonText.OneLine));
        return ExitCodes.Ok;
    }

    private async Task<double> MeasureAsync(TrainingConfig config, TimeSpan duration, ILogger logger, CancellationToken cancellationToken)
    {
        // A run without an end, stopped by the clock: more frames than any machine gets to.
        var endless = config with
        {
            Frames = 1_000_000_000_000_000,
            Run = config.Run with { MetricsSeconds = Math.Min(0.25, duration.TotalSeconds / 4) },
        };
        var meter = new ThroughputMeter(WarmUp);
        using var clock = new CancellationTokenSource(WarmUp + duration, _host.Clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        TrainingResult? result = null;
        try
        {
            result = await _host.Train(endless, new TrainingRunOptions { Progress = meter, Logger = logger }, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The clock's way to end a run; the meter has what there was.
        }
        cancellationToken.ThrowIfCancellationRequested();
        return meter.FramesPerSecond ?? result?.FramesPerSecond
            ?? throw new CommandFailedException(
                $"{config.Preset} made no progress within {duration.TotalSeconds} s: give it more with --seconds.");
    }

    private static string Line(Figure figure) =>
        $"{figure.Name,-44} {figure.Value.ToString(figure.Value < 1000 ? "0.0" : "N0", CultureInfo.InvariantCulture),14} {figure.Unit}";
}

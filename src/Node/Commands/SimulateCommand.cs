using System.CommandLine;
using System.Globalization;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl simulate</c>: a run over several nodes, on one thread and in virtual time, with faults that its seed decides.</summary>
internal sealed class SimulateCommand
{
    private const string DefaultPreset = "impala-catch";

    private readonly CommandHost _host;
    private readonly Argument<string> _preset = new("PRESET")
    {
        Description = $"A preset's name (`rl list`), or the path of a YAML file; {DefaultPreset} where none is named.",
        DefaultValueFactory = _ => DefaultPreset,
    };
    // One thread has to do the work of all within the limits that real nodes keep, in virtual time too.
    private const int MostNodes = 24;

    private readonly Option<int> _nodes = new("--nodes")
    {
        Description = "Nodes that act, beside the one that leads: 1 to 24.",
        DefaultValueFactory = _ => 3,
        HelpName = "n",
    };
    private readonly Option<bool> _faults = new("--faults") { Description = "Let things go wrong, as the seed decides." };
    private readonly Option<string?> _trace = new("--trace")
    {
        Description = "Where to write all that happens: every log line and message.",
        HelpName = "file",
    };
    private readonly ConfigArguments _config = new();

    private SimulateCommand(CommandHost host)
    {
        _host = host;
        Checks.OneTo(_nodes, MostNodes);
    }

    public static Command Create(CommandHost host)
    {
        var simulate = new SimulateCommand(host);
        var command = new Command("simulate", "Simulates a run over several nodes: the same seed gives the same run, faults included.")
        {
            simulate._preset, simulate._nodes, simulate._faults, simulate._trace,
        };
        simulate._config.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => simulate.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (SimulatedHost.Missing is { } reason) throw new ConfigException($"simulate: {reason}");
        var config = ConfigLoader.Load(parsed.GetValue(_preset)!, _config.Overrides(parsed));
        var request = new SimulationRequest(config, parsed.GetValue(_nodes), parsed.GetValue(_faults), $"{CommandLine.Name} {Words(parsed)}");
        using var trace = parsed.GetValue(_trace) is { } path ? Open(path) : null;
        SimulationReport report;
        try
        {
            report = SimulatedHost.RunCluster(request, trace, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new ConfigException(e.Message, e);
        }
        foreach (var line in report.Timeline) _host.Output.WriteLine(line);
        _host.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{report.Frames} frames, {report.Updates} updates, {report.Faults} faults, {report.LeaderStarts} starts of the leading node, "
            + $"{report.Messages} messages, {report.Elapsed.TotalSeconds:0.000} s of virtual time"));
        _host.Output.WriteLine($"{char.ToUpperInvariant(report.Things[0])}{report.Things[1..]}: {report.Unrolls}");
        _host.Output.WriteLine($"Weights {report.WeightsHash:x16}, messages {report.MessageHash:x16}");
        return report.Violation is null ? ExitCodes.Ok : throw new CommandFailedException(report.Violation);
    }

    private static string Words(ParseResult parsed) => string.Join(' ', parsed.Tokens.Select(token => token.Value));

    private static StreamWriter Open(string path)
    {
        try
        {
            return new StreamWriter(path) { NewLine = "\n" };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ConfigException($"--trace {path}: the file cannot be written: {e.Message}", e);
        }
    }
}

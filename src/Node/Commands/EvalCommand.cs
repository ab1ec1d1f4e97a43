using System.CommandLine;
using System.Text.Json;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Evaluation;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl eval</c>: the return of a trained agent.</summary>
internal sealed class EvalCommand
{
    private readonly CommandHost _host;
    private readonly Argument<string> _run = new("RUN") { Description = "A run directory, or a checkpoint file." };
    private readonly Option<int> _episodes = new("--episodes")
    {
        Description = "How many episodes.",
        DefaultValueFactory = _ => 100,
        HelpName = "n",
    };
    private readonly Option<bool> _sample = new("--sample")
    {
        Description = "Draw actions from the policy instead of taking the likeliest.",
    };
    private readonly Option<ulong?> _seed = Checks.Seed("Seed of the evaluation; by default the run's.");
    private readonly Option<long> _maxSteps = new("--max-steps")
    {
        Description = "An episode counts as ended after this many steps.",
        DefaultValueFactory = _ => TrainingEvaluation.MaxSteps,
        HelpName = "n",
    };
    private readonly Option<bool> _json = new("--json") { Description = "The last line of standard output is one JSON object." };

    private EvalCommand(CommandHost host)
    {
        _host = host;
        Checks.AtLeastOne(_episodes);
        Checks.AtLeastOne(_maxSteps);
    }

    public static Command Create(CommandHost host)
    {
        var eval = new EvalCommand(host);
        var command = new Command("eval", "Plays episodes with a trained agent and tells their mean return.")
        {
            eval._run, eval._episodes, eval._sample, eval._seed, eval._maxSteps, eval._json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => eval.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var logger = Logs.ToPeople(_host.Error);
        using var failures = KnownEnvironments.LogFailures(logger);
        var agent = TrainedAgent.Load(parsed.GetValue(_run)!, logger);
        var episodes = parsed.GetValue(_episodes);
        var player = agent.CreatePlayer(
            Evaluator.EnvironmentsFor(episodes), parsed.GetValue(_seed) ?? agent.Config.Seed, parsed.GetValue(_sample));
        using var environments = player.Environments as IDisposable;
        var result = Evaluator.Run(player, episodes, parsed.GetValue(_maxSteps), cancellationToken);

        var json = parsed.GetValue(_json);
        (json ? _host.Error : _host.Output).WriteLine(
            FormattableString.Invariant($"{agent.Config.Preset} after {agent.Frames:N0} frames: mean return {TrainingDisplay.Short(result.MeanReturn)} ")
            + FormattableString.Invariant($"± {TrainingDisplay.Short(result.StdReturn)} (standard deviation) ")
            + FormattableString.Invariant($"over {result.Episodes} episodes{CutShort(result)}"));
        if (json)
            _host.Output.WriteLine(JsonSerializer.Serialize(
                new { result.Episodes, result.MeanReturn, result.StdReturn }, JsonText.OneLine));
        return ExitCodes.Ok;
    }

    private static string CutShort(EvaluationResult result) =>
        result.CutShort == 0 ? "" : $"; {result.CutShort} of them were cut short at --max-steps";
}

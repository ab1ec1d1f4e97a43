using System.CommandLine;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Evaluation;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl play</c>: shows a trained agent at play in the terminal.</summary>
internal sealed class PlayCommand
{
    private readonly CommandHost _host;
    private readonly Argument<string> _run = new("RUN") { Description = "A run directory, or a checkpoint file." };
    private readonly Option<int> _episodes = new("--episodes")
    {
        Description = "How many episodes.",
        DefaultValueFactory = _ => 3,
        HelpName = "n",
    };
    private readonly Option<double> _framesPerSecond = new("--fps")
    {
        Description = "Pictures a second in a terminal.",
        DefaultValueFactory = _ => 15,
        HelpName = "n",
    };
    private readonly Option<ulong?> _seed = Checks.Seed("Seed of what happens; by default the run's.");

    private PlayCommand(CommandHost host)
    {
        _host = host;
        Checks.AtLeastOne(_episodes);
        Checks.Above0(_framesPerSecond);
    }

    public static Command Create(CommandHost host)
    {
        var play = new PlayCommand(host);
        var command = new Command("play", "Shows a trained agent at play in the terminal.")
        {
            play._run, play._episodes, play._framesPerSecond, play._seed,
        };
        command.SetAction(play.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var logger = Logs.ToPeople(_host.Error);
        using var failures = KnownEnvironments.LogFailures(logger);
        var agent = TrainedAgent.Load(parsed.GetValue(_run)!, logger);
        var player = agent.CreatePlayer(environments: 1, parsed.GetValue(_seed) ?? agent.Config.Seed, sample: false);
        using var screen = new TerminalScreen(_host.Output, _host.OutputIsTerminal);
        var canvas = new TextCanvas();
        var pause = TimeSpan.FromSeconds(1 / parsed.GetValue(_framesPerSecond));
        for (var episode = 1; episode <= parsed.GetValue(_episodes); episode++)
        {
            var (score, step) = (0.0, 0);
            do
            {
                player.Environments.Render(0, canvas);
                screen.Show(
                    canvas,
                    FormattableString.Invariant($"{agent.Config.Environment.Name}  episode {episode}  step {step}  return {score:0.##}"));
                if (_host.OutputIsTerminal) await Task.Delay(pause, _host.Clock, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                player.Step();
                score += player.Rewards[0];
                step++;
            }
            while (!player.HasEnded(0));
            screen.Note(FormattableString.Invariant($"episode {episode}: return {score:0.##} after {step} steps"));
        }
        return ExitCodes.Ok;
    }
}

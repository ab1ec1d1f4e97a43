using System.CommandLine;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Evaluation;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Pictures;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl play</c>: shows a trained agent, or random actions, at play in the terminal or records them.</summary>
internal sealed class PlayCommand
{
    private readonly CommandHost _host;
    private readonly Argument<string> _target = new("TARGET")
    {
        Description = "A run directory or a checkpoint file; or an environment's name (`rl list`), which is played at random.",
    };
    private readonly Option<int> _episodes = new("--episodes")
    {
        Description = "How many episodes.",
        DefaultValueFactory = _ => 3,
        HelpName = "n",
    };
    private readonly Option<double> _framesPerSecond = new("--fps")
    {
        Description = "Pictures a second, in a terminal and in an animation (there at most 50).",
        DefaultValueFactory = _ => 15,
        HelpName = "n",
    };
    private readonly Option<ulong?> _seed = Checks.Seed("Seed of what happens; by default the run's, or 1.");
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Changes an option of an environment that is played at random, such as --set environment.stickyActions=0. Repeatable.",
        HelpName = "key=value",
    };
    private readonly Option<string?> _gif = new("--gif")
    {
        Description = "Records to this file, as fast as it goes: FILE.gif is an animation, FILE.png becomes FILE-0001.png and so on.",
        HelpName = "file",
    };
    private readonly Option<int> _maxFrames = new("--max-frames")
    {
        Description = "With --gif: ends after this many pictures.",
        DefaultValueFactory = _ => 1000,
        HelpName = "n",
    };

    private PlayCommand(CommandHost host)
    {
        _host = host;
        Checks.AtLeastOne(_episodes);
        Checks.AtLeastOne(_maxFrames);
        Checks.Above0(_framesPerSecond);
    }

    public static Command Create(CommandHost host)
    {
        var play = new PlayCommand(host);
        var command = new Command("play", "Shows a trained agent, or random actions, at play in the terminal; records them with --gif.")
        {
            play._target, play._episodes, play._framesPerSecond, play._seed, play._set, play._gif, play._maxFrames,
        };
        command.SetAction(play.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var logger = Logs.ToPeople(_host.Error);
        using var failures = KnownEnvironments.LogFailures(logger);
        var overrides = (parsed.GetValue(_set) ?? []).Select(ConfigOverride.Parse).ToList();
        var player = PlayTarget.Resolve(parsed.GetValue(_target)!, overrides, parsed.GetValue(_seed), logger);
        using var environments = player.Environments as IDisposable;
        using var recorder = parsed.GetValue(_gif) is { } file
            ? new Recorder(file, parsed.GetValue(_framesPerSecond), parsed.GetValue(_maxFrames))
            : null;
        using var screen = new TerminalScreen(_host.Output, _host.OutputIsTerminal, _host.TerminalColumns);
        var pause = TimeSpan.FromSeconds(1 / parsed.GetValue(_framesPerSecond));
        for (var episode = 1; episode <= parsed.GetValue(_episodes); episode++)
            if (!await PlayAsync(player, episode, screen, recorder, pause, cancellationToken)) break;
        if (recorder is not null) screen.Note(recorder.Complete());
        return ExitCodes.Ok;
    }

    /// <summary>Plays an episode to its end.</summary>
    /// <returns>False where the recorder was full before.</returns>
    private async Task<bool> PlayAsync(
        IPlayer player, int episode, TerminalScreen screen, Recorder? recorder, TimeSpan pause, CancellationToken cancellationToken)
    {
        var canvas = new TextCanvas();
        var caption = new Caption(player.Environments.Spec.Name, episode, 0, 0);
        do
        {
            if (recorder is { IsFull: true })
            {
                screen.Note($"stopped at --max-frames {recorder.Frames}, {caption.Step} steps into episode {episode}: raise it to record more");
                return false;
            }
            cancellationToken.ThrowIfCancellationRequested();
            player.Environments.Render(0, canvas);
            if (_host.OutputIsTerminal || recorder is null) screen.Show(canvas, caption.ToString());
            recorder?.Add(canvas, caption);
            if (_host.OutputIsTerminal && recorder is null) await Task.Delay(pause, _host.Clock, cancellationToken);
            player.Step();
            caption = caption with { Step = caption.Step + 1, Return = caption.Return + player.Rewards[0] };
        }
        while (!player.HasEnded(0));
        screen.Note(player.IsLost(0)
            ? $"episode {episode}: lost after {caption.Step} steps, its environment failed"
            : FormattableString.Invariant($"episode {episode}: return {TrainingDisplay.Short(caption.Return)} after {caption.Step} steps"));
        return true;
    }
}

using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Core.Environments.Tetris;

namespace Rl.Distributed.Core.Environments;

/// <summary>Marks an option that is applied around any environment.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ForAnyEnvironmentAttribute : Attribute;

/// <summary>Which environment to make, and how. An option that the environment does not know must keep its default.</summary>
public sealed record EnvironmentOptions
{
    [Description("The environment's name; `rl list` shows them.")]
    public string Name { get; init; } = "cartpole";

    [Description("MinAtar, Atari: the probability that the last action is played instead of the chosen one; empty for the game's own.")]
    [Range(0.0, 1.0)]
    public double? StickyActions { get; init; }

    [Description("MinAtar: whether a game grows harder as it goes on.")]
    public bool Ramping { get; init; } = true;

    [Description("MinAtar, Atari: offer only the actions which have an effect; empty for false in MinAtar, true in Atari.")]
    public bool? MinimalActions { get; init; }

    [Description("Atari: frames that an action holds for; empty for 4.")]
    [Range(1, 1000)]
    public int? FrameSkip { get; init; }

    [Description("Atari: an episode begins with up to this many frames of doing nothing; empty for 30.")]
    [Range(0, 10000)]
    public int? NoOpStarts { get; init; }

    [Description("Gymnasium: Python processes of a worker, among which its environments are shared out.")]
    [Range(1, 256)]
    public int Subprocesses { get; init; } = 1;

    [Description("Gymnasium: seconds after which a Python process that gives no answer counts as hanging.")]
    [Range(0.001, 86400.0)]
    public double TimeoutSeconds { get; init; } = 60;

    [Description("Gymnasium: failures of a worker's environments within ten minutes that cost only episodes; one more ends the worker.")]
    [Range(0, 1000000)]
    public int Restarts { get; init; } = 5;

    [Description("Tetris: whether pieces fall a row a step and are moved meanwhile, instead of being placed by one action.")]
    public bool FallingPieces { get; init; }

    [Description("Tetris: what is observed: the cells of the board, or features of it as numbers.")]
    public TetrisObservation TetrisObservation { get; init; }
}

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

    [ForAnyEnvironment]
    [Description("The probability that the last action is played instead of the chosen one; empty for the game's own: MinAtar 0.1, others 0.")]
    [Range(0.0, 1.0)]
    public double? StickyActions { get; init; }

    [ForAnyEnvironment]
    [Description("Each action is played so often, or until the episode ends; the rewards are summed.")]
    [Range(1, 1000)]
    public int ActionRepeat { get; init; } = 1;

    [ForAnyEnvironment]
    [Description("Episodes are truncated after so many steps of the agent, beside the game's own limit; 0 for no such limit.")]
    [Range(0, int.MaxValue)]
    public int TimeLimit { get; init; }

    [ForAnyEnvironment]
    [Description("A lost life is none: nothing, reset: an episode's end, or roll: no bootstrap, but the episode goes on.")]
    public LifeLoss LifeLoss { get; init; }

    [ForAnyEnvironment]
    [Description("An observation shows the last so many frames, oldest first; empty for the environment's own: mostly 1.")]
    [Range(1, 64)]
    public int? FrameStack { get; init; }

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

    [Description("Gymnasium: failures of a worker's environments within ten minutes that cost only episodes; one more ends the run.")]
    [Range(0, 1000000)]
    public int Restarts { get; init; } = 5;

    [Description("Tetris: whether pieces fall a row a step and are moved meanwhile, instead of being placed by one action.")]
    public bool FallingPieces { get; init; }

    [Description("Tetris: what is observed: the cells of the board, or features of it as numbers.")]
    public TetrisObservation TetrisObservation { get; init; }

    [Description("tmaze: steps to the junction (10); memory-len: steps to remember (10); repeat-previous: which of the last cards is "
        + "asked for (4). Empty for the environment's own, in brackets.")]
    [Range(1, 1000)]
    public int? Length { get; init; }

    [Description("deepsea: rows (10); discomaze: cells a side, odd (21); repeat-previous: decks (1). "
        + "Empty for the environment's own, in brackets.")]
    [Range(1, 100)]
    public int? Size { get; init; }

    [Description("memory-size: bits to remember; empty for the environment's own, 10.")]
    [Range(1, 64)]
    public int? Bits { get; init; }

    [Description("deepsea: whether moves fail at times and the ends give random rewards.")]
    public bool Stochastic { get; init; }

    [Description("deepsea: seed of what the actions mean in each cell, the same for every copy, worker, restart and evaluation; not the run's seed.")]
    [Range(0, int.MaxValue)]
    public int MappingSeed { get; init; } = 42;

    [Description("discomaze: whether there is a goal to find, for reward 1; without it there is no reward at all.")]
    public bool Goal { get; init; }
}

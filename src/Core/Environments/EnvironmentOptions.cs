using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.Core.Environments;

/// <summary>Marks an option that is applied around any environment.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ForAnyEnvironmentAttribute : Attribute;

/// <summary>Which environment to make, and how. An option that the environment does not know must keep its default.</summary>
public sealed record EnvironmentOptions
{
    [Description("The environment's name; `rl list` shows them.")]
    public string Name { get; init; } = "cartpole";

    [Description("MinAtar: the probability that the last action is played instead of the chosen one; empty for the game's own, 0.1.")]
    [Range(0.0, 1.0)]
    public double? StickyActions { get; init; }

    [Description("MinAtar: whether a game grows harder as it goes on.")]
    public bool Ramping { get; init; } = true;

    [Description("MinAtar: offer only the actions which have an effect, instead of all six.")]
    public bool MinimalActions { get; init; }
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium;

/// <summary>What is asked of Python for one environment with its options.</summary>
internal sealed partial class GymnasiumRequest
{
    public GymnasiumRequest(EnvironmentOptions options)
    {
        Name = options.Name;
        Id = options.Name[GymnasiumSource.Prefix.Length..];
        IsAtari = IsAtariId(Id);
        var arguments = new JsonObject();
        if (IsAtari)
        {
            arguments["frameskip"] = 1;
            arguments["obs_type"] = "grayscale";
            if (options.StickyActions is { } sticky) arguments["repeat_action_probability"] = sticky;
            if (options.MinimalActions is { } minimal) arguments["full_action_space"] = !minimal;
        }
        Make = new JsonObject
        {
            ["do"] = "make",
            ["id"] = Id,
            ["kwargs"] = arguments,
            ["atari"] = IsAtari ? new JsonObject { ["frameSkip"] = options.FrameSkip ?? 4, ["noOpStarts"] = options.NoOpStarts ?? 30 } : null,
            ["around"] = Around(options),
        };
        Key = Make.ToJsonString();
    }

    /// <summary>With the source's prefix.</summary>
    public string Name { get; }

    /// <summary>Gymnasium's.</summary>
    public string Id { get; }

    public bool IsAtari { get; }

    public JsonObject Make { get; }

    /// <summary>Equal where the environment is the same.</summary>
    public string Key { get; }

    /// <summary>Ids of the Arcade Learning Environment, also the old ones that skip no frames.</summary>
    public static bool IsAtariId(string id) => AtariId().IsMatch(id);

    // Atari's emulator has sticky actions of its own.
    private JsonObject? Around(EnvironmentOptions options)
    {
        var sticky = IsAtari ? 0 : options.StickyActions ?? 0;
        return sticky > 0 || options.ActionRepeat > 1 || options.TimeLimit > 0
            ? new JsonObject { ["sticky"] = sticky, ["repeat"] = options.ActionRepeat, ["limit"] = options.TimeLimit }
            : null;
    }

    [GeneratedRegex("^([^:]+:)?(ALE/.*|[A-Za-z]+NoFrameskip-v[0-9]+)$")]
    private static partial Regex AtariId();
}

using System.Text.Json;

namespace Rl.Distributed.Core.Tests;

/// <summary>The oracles' numbers; RL_ORACLES names another folder of the same layout.</summary>
public static class OracleFiles
{
    public static string Root => Environment.GetEnvironmentVariable("RL_ORACLES") is { Length: > 0 } dir ? dir : Path.Combine(AppContext.BaseDirectory, "Oracles");

    /// <summary>The cases of math/NAME.json.</summary>
    public static JsonElement[] Math(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "math", name + ".json")));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(each => each.Clone())];
    }

    /// <summary>All numbers of nested arrays, depth first; null is +infinity.</summary>
    public static float[] Floats(JsonElement element) => [.. Doubles(element).Select(each => (float)each)];

    /// <summary>All numbers of nested arrays, depth first; null is +infinity.</summary>
    public static double[] Doubles(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => [.. element.EnumerateArray().SelectMany(Doubles)],
        JsonValueKind.Null => [double.PositiveInfinity],
        _ => [element.GetDouble()],
    };

    /// <summary>All integers of nested arrays, depth first.</summary>
    public static int[] Ints(JsonElement element) => element.ValueKind == JsonValueKind.Array
        ? [.. element.EnumerateArray().SelectMany(Ints)]
        : [element.GetInt32()];
}

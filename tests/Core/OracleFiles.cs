using System.Text.Json;

namespace Rl.Distributed.Core.Tests;

/// <summary>The oracles' files: beside the tests, or where RL_ORACLES says.</summary>
public static class OracleFiles
{
    public static string Root => Environment.GetEnvironmentVariable("RL_ORACLES") is { Length: > 0 } dir ? dir : Path.Combine(AppContext.BaseDirectory, "Oracles");

    /// <summary>The cases of math/<paramref name="name"/>.json.</summary>
    public static JsonElement[] Math(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "math", name + ".json")));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(element => element.Clone())];
    }

    /// <summary>All numbers of nested arrays, depth first; null gives +infinity.</summary>
    public static float[] Floats(JsonElement element) => [.. Leaves(element).Select(leaf => leaf.ValueKind == JsonValueKind.Null ? float.PositiveInfinity : leaf.GetSingle())];

    /// <inheritdoc cref="Floats"/>
    public static double[] Doubles(JsonElement element) => [.. Leaves(element).Select(leaf => leaf.ValueKind == JsonValueKind.Null ? double.PositiveInfinity : leaf.GetDouble())];

    public static int[] Ints(JsonElement element) => [.. Leaves(element).Select(leaf => leaf.GetInt32())];

    private static IEnumerable<JsonElement> Leaves(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().SelectMany(Leaves) : [element];
}

using System.Text.Json;

namespace Rl.Distributed.Core.Tests;

/// <summary>The fields of an oracle's case by name.</summary>
internal static class OracleCase
{
    public static float[] Floats(this JsonElement c, string name) => OracleFiles.Floats(c.GetProperty(name));

    public static double[] Doubles(this JsonElement c, string name) => OracleFiles.Doubles(c.GetProperty(name));

    public static int[] Ints(this JsonElement c, string name) => OracleFiles.Ints(c.GetProperty(name));

    public static int Int(this JsonElement c, string name) => c.GetProperty(name).GetInt32();

    /// <summary>One number; null is +infinity.</summary>
    public static double Number(this JsonElement c, string name) => OracleFiles.Doubles(c.GetProperty(name))[0];

    /// <summary>One number, or what to take where the case has no such field.</summary>
    public static double Number(this JsonElement c, string name, double otherwise) =>
        c.TryGetProperty(name, out var field) ? OracleFiles.Doubles(field)[0] : otherwise;

    /// <summary>A flag that may be absent.</summary>
    public static bool Flag(this JsonElement c, string name) => c.TryGetProperty(name, out var field) && field.GetBoolean();
}

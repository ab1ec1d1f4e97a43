using System.Globalization;
using System.Text.Json;
using Rl.Distributed.Core;

namespace Rl.Distributed.Node.Configuration;

/// <summary>Single values as text, both ways: numbers (1e6, 1_000_000, inf), booleans, names of an enum, strings.</summary>
internal static class ScalarText
{
    /// <summary>The value, or null and what was expected instead.</summary>
    public static object? Parse(Type type, ConfigScalar scalar, out string expected)
    {
        expected = Expected(type);
        if (type == typeof(string)) return scalar.IsNull ? null : scalar.Text;
        if (scalar.Quoted && !type.IsEnum) return null;
        if (type == typeof(bool)) return scalar.Text switch { "true" => true, "false" => false, _ => null };
        if (type.IsEnum) return ParseEnum(type, scalar.Text, ref expected);
        if (type == typeof(double) || type == typeof(float))
        {
            if (ParseDouble(scalar.Text) is not { } value) return null;
            if (type == typeof(double)) return value;
            return double.IsFinite(value) && !float.IsFinite((float)value) ? null : (float)value;
        }
        return ParseInteger(type, scalar.Text);
    }

    /// <summary>The text that <see cref="Parse"/> reads back as this value.</summary>
    public static string Format(object value) => value switch
    {
        bool boolean => boolean ? "true" : "false",
        double.PositiveInfinity or float.PositiveInfinity => ".inf",
        double.NegativeInfinity or float.NegativeInfinity => "-.inf",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        float number => number.ToString("R", CultureInfo.InvariantCulture),
        Enum => EnumName(value.ToString()!),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    public static IReadOnlyList<string> EnumNames(Type type) => [.. Enum.GetNames(type).Select(EnumName)];

    public static bool IsInteger(Type type) => Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.UInt64;

    private static string EnumName(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    private static object? ParseEnum(Type type, string text, ref string expected)
    {
        static string Plain(string name) =>
            name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
        foreach (var name in Enum.GetNames(type))
        {
            if (Plain(name) == Plain(text)) return Enum.Parse(type, name);
        }
        if (NearestName.Find(text, EnumNames(type)) is { } near) expected += $"; did you mean '{near}'?";
        return null;
    }

    private static double? ParseDouble(string text)
    {
        switch (text.ToLowerInvariant())
        {
            case "inf" or ".inf" or "+inf" or "+.inf" or "infinity": return double.PositiveInfinity;
            case "-inf" or "-.inf" or "-infinity": return double.NegativeInfinity;
        }
        if (!text.Any(char.IsAsciiDigit)) return null;
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : null;
    }

    private static object? ParseInteger(Type type, string text)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        if (!decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return null;
        if (value != decimal.Truncate(value)) return null;
        try
        {
            return Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static string Expected(Type type) => type switch
    {
        _ when type == typeof(string) => "text",
        _ when type == typeof(bool) => "true or false",
        _ when type.IsEnum => $"one of {string.Join(", ", EnumNames(type))}",
        _ when IsInteger(type) => Type.GetTypeCode(type) is TypeCode.Byte or TypeCode.UInt16 or TypeCode.UInt32 or TypeCode.UInt64
            ? "a whole number from 0 on" : "a whole number",
        _ => "a number",
    };
}

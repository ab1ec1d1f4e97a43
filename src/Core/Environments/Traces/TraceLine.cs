using System.Globalization;
using System.Text.Json;

namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>One line of a trace, a JSON object whose fields have the expected types or a clear error.</summary>
public readonly struct TraceLine
{
    private readonly JsonElement _object;

    /// <exception cref="TraceException">The text is not a JSON object.</exception>
    public TraceLine(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            _object = document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new TraceException($"not a line of JSON ({error.Message.Split(" LineNumber")[0].TrimEnd('.')}): {Shortened(text)}");
        }
        if (_object.ValueKind != JsonValueKind.Object) throw new TraceException($"expected a JSON object, found {Shortened(text)}");
    }

    public bool Has(string field) => _object.TryGetProperty(field, out _);

    public JsonElement Required(string field) =>
        _object.TryGetProperty(field, out var value) ? value : throw new TraceException($"the field \"{field}\" is missing");

    public string Text(string field)
    {
        var value = Required(field);
        return AsText(value) ?? throw Wrong(field, "a text", value);
    }

    public int Integer(string field)
    {
        var value = Required(field);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw Wrong(field, "a whole number", value);
    }

    public double Number(string field)
    {
        var value = Required(field);
        return AsNumber(value) ?? throw Wrong(field, "a number", value);
    }

    /// <summary>true, false, 0 or 1.</summary>
    public bool Flag(string field)
    {
        var value = Required(field);
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number when AsNumber(value) is 0 => false,
            JsonValueKind.Number when AsNumber(value) is 1 => true,
            _ => throw Wrong(field, "0 or 1", value),
        };
    }

    /// <summary>An array of exactly this many numbers.</summary>
    public double[] Numbers(string field, int count)
    {
        var value = Required(field);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != count) throw Wrong(field, $"{count} numbers", value);
        var numbers = new double[count];
        for (var i = 0; i < count; i++) numbers[i] = AsNumber(value[i]) ?? throw Wrong($"{field}[{i}]", "a number", value[i]);
        return numbers;
    }

    /// <summary>An array, element by element.</summary>
    public JsonElement[] Elements(string field)
    {
        var value = Required(field);
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : throw Wrong(field, "a list", value);
    }

    /// <summary>The text; null where it is none, or one that UTF-16 cannot hold.</summary>
    public static string? AsText(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Half of a surrogate pair.
        }
    }

    /// <summary>The number; null where it is none.</summary>
    public static double? AsNumber(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    public static TraceException Wrong(string field, string wanted, JsonElement value) =>
        new($"\"{field}\" must be {wanted}, but is {Shortened(value.GetRawText())}");

    /// <summary>Shortest text that reads back to the same number.</summary>
    public static string Show(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..57] + "...";
}

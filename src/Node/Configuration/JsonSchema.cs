using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rl.Distributed.Node.Configuration;

/// <summary>The JSON Schema (draft 2020-12) of a record, for editors and other programs.</summary>
internal static class JsonSchema
{
    public static JsonObject Of(Type record, string title)
    {
        var schema = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = title };
        foreach (var (key, value) in OfRecord(record).ToList()) schema[key] = value?.DeepClone();
        return schema;
    }

    private static JsonObject OfRecord(Type record)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var option in OptionModel.Of(record))
        {
            properties[option.Key] = OfOption(option);
            if (option.ChosenBy is { } chooser)
                properties[Key(chooser)]!["enum"] = Strings(chooser.Variants.Select(variant => variant.Name));
            if (option.Required) required.Add(option.Key);
        }
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required.Count > 0) schema["required"] = required;
        var chosen = new JsonArray([.. OptionModel.Of(record).Where(option => option.ChosenBy is not null).SelectMany(OfVariants)]);
        if (chosen.Count > 0) schema["allOf"] = chosen;
        return schema;
    }

    // Where the option that chooses is not written, its default decides, and the first variant is the default's.
    private static IEnumerable<JsonNode> OfVariants(Option option)
    {
        var key = Key(option.ChosenBy!);
        foreach (var (name, type) in option.ChosenBy!.Variants)
        {
            var condition = new JsonObject { ["properties"] = new JsonObject { [key] = new JsonObject { ["const"] = name } } };
            if (type != option.Default!.GetType()) condition["required"] = new JsonArray(key);
            yield return new JsonObject
            {
                ["if"] = condition,
                ["then"] = new JsonObject { ["properties"] = new JsonObject { [option.Key] = OfRecord(type) } },
            };
        }
    }

    private static string Key(ChosenByAttribute chooser) => JsonNamingPolicy.CamelCase.ConvertName(chooser.Option);

    private static JsonObject OfOption(Option option)
    {
        var schema = option.ChosenBy is not null ? new JsonObject { ["type"] = "object" }
            : option.IsRecord ? OfRecord(option.Type)
            : option.Item is null ? OfScalar(option.Type, option)
            : new JsonObject { ["type"] = "array", ["items"] = OfScalar(option.Item, option) };
        if (option.Nullable && schema["type"] is JsonValue type) schema["type"] = new JsonArray(type.GetValue<string>(), "null");
        if (option.Description is { } description) schema["description"] = description;
        if (!option.IsRecord && !option.Required && Value(option.Default) is { } value) schema["default"] = value;
        return schema;
    }

    private static JsonObject OfScalar(Type type, Option option)
    {
        if (type.IsEnum) return new JsonObject { ["type"] = "string", ["enum"] = Strings(ScalarText.EnumNames(type)) };
        if (type == typeof(bool)) return new JsonObject { ["type"] = "boolean" };
        if (type == typeof(string))
        {
            var text = new JsonObject { ["type"] = "string" };
            if (option.Allowed is { } allowed) text["enum"] = Strings(allowed);
            return text;
        }
        var number = new JsonObject { ["type"] = ScalarText.IsInteger(type) ? "integer" : "number" };
        if (option.Range is { } range)
        {
            if (double.IsFinite(option.Low))
                number[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = JsonNode.Parse(Number(option.Low));
            if (double.IsFinite(option.High) && option.High < double.MaxValue)
            {
                number[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = JsonNode.Parse(Number(option.High));
            }
        }
        else if (Type.GetTypeCode(type) is TypeCode.Byte or TypeCode.UInt16 or TypeCode.UInt32 or TypeCode.UInt64)
        {
            number["minimum"] = 0;
        }
        return number;
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => (JsonNode?)JsonValue.Create(value))];

    /// <summary>The default as JSON; null where JSON cannot say it (infinity).</summary>
    private static JsonNode? Value(object? value) => value switch
    {
        null => null,
        bool boolean => JsonValue.Create(boolean),
        string text => JsonValue.Create(text),
        Enum => JsonValue.Create(ScalarText.Format(value)),
        IEnumerable items => new JsonArray([.. items.Cast<object>().Select(Value)]),
        double number when !double.IsFinite(number) => null,
        float number when !float.IsFinite(number) => null,
        _ => JsonNode.Parse(JsonSerializer.Serialize(value)),
    };

    private static string Number(double value) =>
        Math.Abs(value) < 1e28
            ? ((decimal)value).ToString(CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture);
}

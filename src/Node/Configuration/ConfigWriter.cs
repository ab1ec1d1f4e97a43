using System.Collections;
using System.Text;

namespace Rl.Distributed.Node.Configuration;

/// <summary>Writes a record as YAML that <see cref="ConfigBinder"/> reads back as an equal record.</summary>
internal static class ConfigWriter
{
    public static string Write(object record)
    {
        var text = new StringBuilder();
        WriteRecord(text, record, indent: 0);
        return text.ToString();
    }

    private static void WriteRecord(StringBuilder text, object record, int indent)
    {
        foreach (var option in OptionModel.Of(record.GetType()))
        {
            var value = option.Property.GetValue(record);
            text.Append(' ', indent).Append(option.Key).Append(':');
            if (value is not null && option.IsRecord)
            {
                text.Append('\n');
                WriteRecord(text, value, indent + 2);
            }
            else
            {
                text.Append(' ').Append(Value(value)).Append('\n');
            }
        }
    }

    private static string Value(object? value) => value switch
    {
        null => "null",
        string s => Quote(s),
        IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Value))}]",
        _ => ScalarText.Format(value),
    };

    /// <summary>Names stay bare; everything else is double-quoted, whose escapes are those of JSON.</summary>
    private static string Quote(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
        && text is not ("null" or "true" or "false")
            ? text
            : System.Text.Json.JsonSerializer.Serialize(text);
}

using System.Collections.Immutable;
using System.Globalization;
using Rl.Distributed.Core;

namespace Rl.Distributed.Node.Configuration;

/// <summary>Turns what was written into immutable records, and stops at the first thing that is wrong.</summary>
/// <remarks>Options that are not written keep the defaults of their record.</remarks>
internal sealed class ConfigBinder
{
    private readonly Dictionary<string, ConfigSource> _sources = new(StringComparer.Ordinal);

    /// <summary>Where each option that was written stands, by its path, such as "learner.batch".</summary>
    public IReadOnlyDictionary<string, ConfigSource> Sources => _sources;

    /// <exception cref="ConfigException">An unknown key, a wrong type, a value out of range, a missing one.</exception>
    public T Bind<T>(ConfigMapping mapping)
        where T : class => (T)BindRecord(typeof(T), mapping, "");

    private object BindRecord(Type type, ConfigMapping mapping, string path)
    {
        var options = OptionModel.Of(type);
        var record = OptionModel.New(type);
        foreach (var entry in mapping.Entries)
        {
            var option = options.FirstOrDefault(o => o.Key == entry.Key) ?? throw UnknownKey(entry, options, path);
            var fullPath = path + option.Key;
            _sources[fullPath] = entry.Source;
            if (option.ChosenBy is null) option.Property.SetValue(record, BindValue(option, option.Type, entry, fullPath));
        }
        foreach (var option in options)
        {
            if (option.ChosenBy is not { } chooser) continue;
            var chosen = Chosen(chooser, options, record, mapping.Source, path);
            var entry = mapping.Entries.FirstOrDefault(e => e.Key == option.Key);
            option.Property.SetValue(record, (entry is null ? null : BindValue(option, chosen, entry, path + option.Key)) ?? OptionModel.New(chosen));
        }
        foreach (var option in options.Where(o => o.Required && mapping.Entries.All(entry => entry.Key != o.Key)))
        {
            throw mapping.Source.Error($"the key '{path}{option.Key}' is missing.");
        }
        return record;
    }

    private Type Chosen(ChosenByAttribute chooser, IReadOnlyList<Option> options, object record, ConfigSource mapping, string path)
    {
        var option = options.Single(o => o.Property.Name == chooser.Option);
        var name = (string)option.Property.GetValue(record)!;
        foreach (var (variant, type) in chooser.Variants)
            if (variant == name) return type;
        throw _sources.GetValueOrDefault(path + option.Key, mapping).Error(
            $"'{path}{option.Key}' is '{name}'; expected one of {string.Join(", ", chooser.Variants.Select(v => v.Name))}"
            + Nearest(name, [.. chooser.Variants.Select(v => v.Name)]));
    }

    private object? BindValue(Option option, Type type, ConfigEntry entry, string path)
    {
        var value = entry.Value;
        if (option.Nullable && value is ConfigScalar { IsNull: true }) return null;
        if (option.IsRecord)
        {
            return value switch
            {
                ConfigMapping mapping => BindRecord(type, mapping, path + "."),
                ConfigScalar { IsNull: true } => option.ChosenBy is null ? option.Default : null,
                _ => throw value.Source.Error($"'{path}' is {value}, but has keys of its own: {Keys(type)}."),
            };
        }
        if (option.Item is null) return BindScalar(option, option.Type, value, path);
        if (value is not ConfigSequence sequence) throw value.Source.Error($"'{path}' is {value}; expected a list such as [64, 64].");
        var items = Array.CreateInstance(option.Item, sequence.Items.Count);
        for (var i = 0; i < items.Length; i++) items.SetValue(BindScalar(option, option.Item, sequence.Items[i], $"{path}[{i}]"), i);
        return option.Type.IsArray ? items : ToImmutable(items, option.Item);
    }

    private static object BindScalar(Option option, Type type, ConfigNode node, string path)
    {
        if (node is not ConfigScalar scalar) throw node.Source.Error($"'{path}' is {node}; expected a single value.");
        var value = ScalarText.Parse(type, scalar, out var expected)
            ?? throw scalar.Source.Error($"'{path}' is {scalar}; expected {expected}{(expected.EndsWith('?') ? "" : ".")}");
        if (option.Allowed is { } allowed && !allowed.Contains(value.ToString()))
        {
            throw scalar.Source.Error($"'{path}' is {scalar}; expected one of {string.Join(", ", allowed)}{Nearest(scalar.Text, allowed)}");
        }
        if (option.Range is not null && value is IConvertible and not string and not bool
            && !option.InRange(Convert.ToDouble(value, CultureInfo.InvariantCulture)))
        {
            var isInfinite = double.IsInfinity(Convert.ToDouble(value, CultureInfo.InvariantCulture));
            throw scalar.Source.Error(isInfinite
                ? $"'{path}' is {scalar.Text}; expected a finite number, {option.RangeText}."
                : $"'{path}' is {scalar.Text}, out of its range, {option.RangeText}.");
        }
        return value;
    }

    private static ConfigException UnknownKey(ConfigEntry entry, IReadOnlyList<Option> options, string path)
    {
        var keys = options.Select(option => option.Key).ToList();
        return entry.Source.Error($"unknown key '{path}{entry.Key}'{Nearest(entry.Key, keys, path)}");
    }

    private static string Nearest(string name, IReadOnlyList<string> candidates, string path = "") =>
        NearestName.Find(name, candidates) is { } near
            ? $"; did you mean '{path}{near}'?"
            : $"; there are: {string.Join(", ", candidates)}.";

    private static string Keys(Type record) => string.Join(", ", OptionModel.Of(record).Select(option => option.Key));

    private static object ToImmutable(Array items, Type item) =>
        typeof(ImmutableArray).GetMethods().Single(method => method.Name == nameof(ImmutableArray.Create)
                && method.GetParameters() is [{ ParameterType.IsArray: true }])
            .MakeGenericMethod(item).Invoke(null, [items])!;
}

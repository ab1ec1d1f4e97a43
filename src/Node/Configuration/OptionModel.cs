using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Rl.Distributed.Node.Configuration;

/// <summary>One option of a record: its YAML key, its type and what its attributes say.</summary>
/// <param name="Type">The type of a value, without Nullable.</param>
/// <param name="Item">Of a list, the type of its items.</param>
/// <param name="Default">The value in a newly made record.</param>
/// <param name="ChosenBy">What decides the type of the record; null: it is <paramref name="Type"/>.</param>
internal sealed record Option(
    PropertyInfo Property, string Key, Type Type, Type? Item, bool Nullable, bool Required, string? Description, RangeAttribute? Range,
    IReadOnlyList<string>? Allowed, object? Default, ChosenByAttribute? ChosenBy)
{
    public bool IsRecord => OptionModel.IsRecord(Type);

    /// <summary>The range in words, such as "1 to 65536", or null.</summary>
    public string? RangeText => Range is null ? null : (Low, High) switch
    {
        (var low, >= 1e18 and var high) =>
            $"{(Range.MinimumIsExclusive ? "above" : "at least")} {Number(low)}{(double.IsInfinity(high) ? " (inf too)" : "")}",
        var (low, high) =>
            $"{(Range.MinimumIsExclusive ? "above " : "")}{Number(low)} to {(Range.MaximumIsExclusive ? "below " : "")}{Number(high)}",
    };

    public double Low => Convert.ToDouble(Range!.Minimum, CultureInfo.InvariantCulture);

    public double High => Convert.ToDouble(Range!.Maximum, CultureInfo.InvariantCulture);

    public bool InRange(double value) => Range is null
        || ((Range.MinimumIsExclusive ? value > Low : value >= Low) && (Range.MaximumIsExclusive ? value < High : value <= High));

    private static string Number(double value) => value.ToString("G15", CultureInfo.InvariantCulture);
}

/// <summary>The options of a record, in the order in which they are declared; those that are not browsable are the program's.</summary>
internal static class OptionModel
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<Option>> Known = new();

    public static IReadOnlyList<Option> Of(Type record) => Known.GetOrAdd(record, Build);

    public static bool IsRecord(Type type) => type.IsClass && type != typeof(string) && !type.IsArray;

    public static object New(Type record) => Activator.CreateInstance(record, nonPublic: true)!;

    private static IReadOnlyList<Option> Build(Type record)
    {
        var defaults = New(record);
        var nullability = new NullabilityInfoContext();
        return [.. record.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0
                && property.GetCustomAttribute<BrowsableAttribute>() is not { Browsable: false })
            .Select(property => Describe(property, defaults, nullability))];
    }

    private static Option Describe(PropertyInfo property, object defaults, NullabilityInfoContext nullability)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var nullable = type != property.PropertyType
            || (!type.IsValueType && nullability.Create(property).WriteState == NullabilityState.Nullable);
        return new Option(
            property,
            JsonNamingPolicy.CamelCase.ConvertName(property.Name),
            type,
            type.IsArray ? type.GetElementType() : IsImmutableArray(type) ? type.GetGenericArguments()[0] : null,
            nullable,
            property.IsDefined(typeof(RequiredMemberAttribute)),
            property.GetCustomAttribute<DescriptionAttribute>()?.Description,
            property.GetCustomAttribute<RangeAttribute>(),
            property.GetCustomAttribute<AllowedValuesAttribute>()?.Values.Select(value => value?.ToString() ?? "null").ToList(),
            property.GetValue(defaults),
            property.GetCustomAttribute<ChosenByAttribute>());
    }

    private static bool IsImmutableArray(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>);
}

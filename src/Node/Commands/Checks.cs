using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Rl.Distributed.Node.Commands;

/// <summary>Checks of single options, as the command line is parsed.</summary>
internal static class Checks
{
    public static void AtLeastOne<T>(Option<T> option)
        where T : struct, INumber<T> => Check(option, value => value >= T.One, "a whole number from 1 on");

    public static void OneTo(Option<int> option, int most) => Check(option, value => value >= 1 && value <= most, $"a whole number from 1 to {most}");

    public static void Above0(Option<double> option) =>
        Check(option, value => value is > 0 and < double.PositiveInfinity, "a number above 0");

    /// <summary>A seed; null where the option is not given.</summary>
    public static Option<ulong?> Seed(string description) => new("--seed")
    {
        Description = description,
        HelpName = "n",
        CustomParser = result =>
        {
            if (ulong.TryParse(result.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return value;
            result.AddError($"--seed {result.Tokens[^1].Value}: expected a whole number from 0 on.");
            return null;
        },
    };

    private static void Check<T>(Option<T> option, Predicate<T> isValid, string expected)
        where T : struct, INumber<T> => option.CustomParser = result =>
    {
        if (T.TryParse(result.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && isValid(value))
            return value;
        result.AddError($"{option.Name} {result.Tokens[^1].Value}: expected {expected}.");
        return default;
    };
}

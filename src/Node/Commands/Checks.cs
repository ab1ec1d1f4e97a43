using System.CommandLine;
using System.Globalization;

namespace Rl.Distributed.Node.Commands;

/// <summary>Checks of single options, made while the command line is parsed.</summary>
internal static class Checks
{
    public static void AtLeastOne(Option<int> option) => AtLeast(option, 1);

    public static void AtLeastOne(Option<long> option) => AtLeast(option, 1);

    public static void Above0(Option<double> option) => option.Validators.Add(result =>
    {
        if (result.Errors.Any() || result.GetValueOrDefault<double>() is > 0 and < double.PositiveInfinity) return;
        result.AddError($"{option.Name} must be above 0.");
    });

    private static void AtLeast<T>(Option<T> option, long least)
        where T : struct, IConvertible => option.Validators.Add(result =>
    {
        if (result.Errors.Any() || result.GetValueOrDefault<T>().ToInt64(CultureInfo.InvariantCulture) >= least) return;
        result.AddError($"{option.Name} must be at least {least}.");
    });
}

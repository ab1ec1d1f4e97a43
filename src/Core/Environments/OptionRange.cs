namespace Rl.Distributed.Core.Environments;

/// <summary>Options that are whole numbers, each environment with its own range and default.</summary>
internal static class OptionRange
{
    /// <summary>The option's value; <paramref name="fallback"/> where it is left out.</summary>
    /// <exception cref="ArgumentException">It is below <paramref name="least"/> or above <paramref name="most"/>.</exception>
    public static int Value(int? option, int fallback, int least, int most, string name, string environment)
    {
        var value = option ?? fallback;
        if (value >= least && value <= most) return value;
        throw new ArgumentException($"{name} of '{environment}' is {least} to {most}, but is {value}.", "options");
    }
}

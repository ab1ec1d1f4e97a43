namespace Rl.Distributed.Core.Environments;

/// <summary>An option that is a whole number, for which one environment has its own range and default.</summary>
/// <param name="Environment">The environment's name.</param>
/// <param name="Option">Of <see cref="EnvironmentOptions"/>, where it is empty unless somebody sets it.</param>
/// <param name="Default">What it is then.</param>
/// <param name="Least">The least that makes sense, whatever the other options are.</param>
/// <param name="Most">The most.</param>
public sealed record OptionRange(string Environment, string Option, int Default, int Least, int Most)
{
    /// <summary>The option's value; <see cref="Default"/> where it is left out.</summary>
    /// <param name="option">The value.</param>
    /// <param name="most">What other options allow, where that is less than <see cref="Most"/>.</param>
    /// <exception cref="ArgumentException">It is out of range.</exception>
    public int Value(int? option, int most = int.MaxValue)
    {
        var (value, limit) = (option ?? Default, Math.Min(most, Most));
        if (value >= Least && value <= limit) return value;
        throw new ArgumentException($"{Option} of '{Environment}' is {Least} to {limit}, but is {value}.", "options");
    }
}

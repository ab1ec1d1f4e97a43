using System.Globalization;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Pictures;

/// <summary>What stands above a picture of play.</summary>
internal readonly record struct Caption(string Environment, int Episode, int Step, double Return)
{
    /// <summary>What belongs together, each with the columns that it is given.</summary>
    public (string Text, int Columns)[] Parts =>
    [
        (Environment, Environment.Length),
        (string.Create(CultureInfo.InvariantCulture, $"episode {Episode}"), 11),
        (string.Create(CultureInfo.InvariantCulture, $"step {Step}"), 10),
        ($"return {TrainingDisplay.Short(Return)}", 14),
    ];

    public override string ToString() => string.Join("  ", Parts.Select(part => part.Text));
}

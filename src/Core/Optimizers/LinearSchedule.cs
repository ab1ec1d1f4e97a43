namespace Rl.Distributed.Core.Optimizers;

/// <summary>A number that moves in a straight line from <paramref name="Start"/> to <paramref name="End"/> and then stays.</summary>
/// <param name="Start">The value at 0 and before.</param>
/// <param name="End">The value at <paramref name="Duration"/> and after.</param>
/// <param name="Duration">In what <see cref="At"/> counts: 1 for progress from 0 to 1, or a number of frames or steps. With 0 the end
/// has been reached from the start.</param>
public readonly record struct LinearSchedule(double Start, double End, double Duration)
{
    /// <summary>A value that never changes.</summary>
    public static LinearSchedule Constant(double value) => new(value, value, 1);

    /// <summary>The value at a progress or step; outside 0 … Duration the nearest end's.</summary>
    /// <exception cref="ArgumentException">The duration is negative or NaN, or the position is NaN.</exception>
    public double At(double position)
    {
        if (!(Duration >= 0))
            throw new ArgumentException($"The duration of a schedule must be 0 or more, not {Duration}.", nameof(Duration));
        if (double.IsNaN(position)) throw new ArgumentException("A schedule has no value at NaN.", nameof(position));
        if (position >= Duration) return End;
        return position <= 0 ? Start : Start + (End - Start) * (position / Duration);
    }
}

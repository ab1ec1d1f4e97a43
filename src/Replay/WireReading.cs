using MessagePack;

namespace Rl.Distributed.Replay;

/// <summary>Checks of what came over a wire, made before anything is allocated for it.</summary>
public static class WireReading
{
    /// <summary>The header of a message of so many fields.</summary>
    /// <exception cref="MessagePackSerializationException">It has another number of fields.</exception>
    public static void ReadFields(ref MessagePackReader reader, int fields, string what)
    {
        var count = reader.ReadArrayHeader();
        if (count != fields) throw new MessagePackSerializationException($"{what} has {count} fields, {fields} expected.");
    }

    /// <exception cref="MessagePackSerializationException">The number is not within these limits, which are included.</exception>
    public static int ReadInt32(ref MessagePackReader reader, int least, int most, string what)
    {
        var value = reader.ReadInt32();
        return value >= least && value <= most ? value
            : throw new MessagePackSerializationException($"{what} is {value}, {least} to {most} expected.");
    }

    /// <exception cref="MessagePackSerializationException">The number is negative.</exception>
    public static int ReadIndex(ref MessagePackReader reader, string what) => ReadInt32(ref reader, 0, int.MaxValue, what);

    /// <exception cref="MessagePackSerializationException">The number is negative.</exception>
    public static long ReadCount(ref MessagePackReader reader, string what)
    {
        var value = reader.ReadInt64();
        return value >= 0 ? value : throw new MessagePackSerializationException($"{what} is {value}, a count expected.");
    }
}

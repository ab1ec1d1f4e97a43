#nullable enable
using System.Buffers;

namespace Rl.Distributed.Tests;

/// <summary>The same bytes as sequences of several segments.</summary>
public static class Sequences
{
    /// <summary>The bytes in one piece, in pieces of one byte, and cut in two at every place, empty pieces among them.</summary>
    public static IEnumerable<ReadOnlySequence<byte>> Cuts(byte[] bytes)
    {
        yield return new ReadOnlySequence<byte>(bytes);
        yield return Of([.. bytes.Select(each => new[] { each })]);
        for (var at = 0; at <= bytes.Length; at++) yield return Of(bytes[..at], [], bytes[at..]);
    }

    public static ReadOnlySequence<byte> Of(params byte[][] pieces)
    {
        if (pieces.Length == 0) return ReadOnlySequence<byte>.Empty;
        var first = new Segment(pieces[0], null);
        var last = first;
        foreach (var piece in pieces.Skip(1)) last = new Segment(piece, last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}

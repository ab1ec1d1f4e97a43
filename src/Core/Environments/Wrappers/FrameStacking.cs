using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Puts frames into stacks of the last k and takes the newest out again, in their stored form.</summary>
/// <remarks>
/// A stack's last dimension is k times that of a frame, oldest first: images [H, W, C] become [H, W, k·C], vectors [n] become [k·n], and an
/// image without channels [H, W] becomes [H, W, k]. So a stack is a row of cells, each of k units: an image's cell is a pixel, its unit
/// that pixel's channels in one frame; a vector is one cell, its unit the whole frame. Immutable; allocates nothing.
/// </remarks>
public sealed class FrameStacking
{
    private readonly int _frames, _unit, _cells;
    private readonly BitStacking? _bits;

    /// <param name="stacked">The spec of a stack, see <see cref="Stacked"/>.</param>
    public FrameStacking(ObservationSpec stacked)
    {
        ArgumentNullException.ThrowIfNull(stacked);
        _frames = stacked.StackedFrames;
        var elements = stacked.Shape[^1] / _frames;
        _cells = stacked.ElementCount / stacked.Shape[^1];
        _unit = stacked.Type == ElementType.Float32 ? elements * sizeof(float) : elements;
        StackBytes = stacked.ByteCount;
        FrameBytes = FrameBytesOf(stacked);
        _bits = stacked.Type == ElementType.Bit ? new BitStacking(_cells, _frames, _unit) : null;
    }

    /// <summary>Bytes of one frame as it is stored.</summary>
    public int FrameBytes { get; }

    /// <summary>Bytes of a stack as it is stored.</summary>
    public int StackBytes { get; }

    /// <summary>What stacks of <paramref name="frames"/> such frames look like.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 2 frames.</exception>
    public static ObservationSpec Stacked(ObservationSpec frame, int frames)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 2);
        int[] shape = frame.Shape.Length == 2 ? [.. frame.Shape, 1] : [.. frame.Shape];
        shape[^1] = checked(shape[^1] * frames);
        return new ObservationSpec(frame.Type, shape) { StackedFrames = frames };
    }

    /// <summary>Bytes of one frame of such stacks.</summary>
    public static int FrameBytesOf(ObservationSpec stacked) => stacked.Type == ElementType.Bit
        ? (stacked.ElementCount / stacked.StackedFrames + 7) / 8
        : stacked.ByteCount / stacked.StackedFrames;

    /// <summary>The stack that has the frame k times.</summary>
    public void Fill(ReadOnlySpan<byte> frame, Span<byte> stack)
    {
        Check(frame.Length, FrameBytes);
        Check(stack.Length, StackBytes);
        if (_bits is not null)
        {
            stack.Clear();
            for (var i = 0; i < _frames; i++) _bits.Push(stack, frame, stack);
            return;
        }
        var cell = _unit * _frames;
        for (var i = 0; i < _cells; i++)
            for (var j = 0; j < _frames; j++)
                frame.Slice(i * _unit, _unit).CopyTo(stack[(i * cell + j * _unit)..]);
    }

    /// <summary>The stack without its oldest frame and with a new one; <paramref name="next"/> may be the old stack's memory.</summary>
    public void Push(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> frame, Span<byte> next)
    {
        Check(stack.Length, StackBytes);
        Check(frame.Length, FrameBytes);
        Check(next.Length, StackBytes);
        if (_bits is not null)
        {
            _bits.Push(stack, frame, next);
            return;
        }
        var first = _unit == 1 && _frames == 4 ? PushQuads(stack, frame, next) : 0;
        var (cell, kept) = (_unit * _frames, _unit * (_frames - 1));
        for (var i = first; i < _cells; i++)
        {
            stack.Slice(i * cell + _unit, kept).CopyTo(next[(i * cell)..]);
            frame.Slice(i * _unit, _unit).CopyTo(next[(i * cell + kept)..]);
        }
    }

    /// <summary>Takes out the newest frame.</summary>
    public void Newest(ReadOnlySpan<byte> stack, Span<byte> frame)
    {
        Check(stack.Length, StackBytes);
        Check(frame.Length, FrameBytes);
        if (_bits is not null)
        {
            _bits.Newest(stack, frame);
            return;
        }
        var first = _unit == 1 && _frames == 4 ? NewestOfQuads(stack, frame) : 0;
        var (cell, kept) = (_unit * _frames, _unit * (_frames - 1));
        for (var i = first; i < _cells; i++) stack.Slice(i * cell + kept, _unit).CopyTo(frame[(i * _unit)..]);
    }

    /// <summary>Whether <paramref name="next"/> is what <see cref="Push"/> makes of the stack and its newest frame, to the last bit. A stack
    /// that follows itself is filled with one frame.</summary>
    public bool Follows(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> next)
    {
        Check(stack.Length, StackBytes);
        Check(next.Length, StackBytes);
        if (_bits is not null) return _bits.Follows(stack, next);
        if (_unit == 1 && _frames == 4) return QuadsFollow(stack, next);
        var (cell, kept) = (_unit * _frames, _unit * (_frames - 1));
        for (var i = 0; i < _cells; i++)
            if (!stack.Slice(i * cell + _unit, kept).SequenceEqual(next.Slice(i * cell, kept))) return false;
        return true;
    }

    // Four gray frames, the usual case: a pixel is one little-endian number, the newest frame its highest byte. Cells done.
    private static int PushQuads(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> frame, Span<byte> next)
    {
        var quads = MemoryMarshal.Cast<byte, uint>(stack);
        var results = MemoryMarshal.Cast<byte, uint>(next);
        var i = 0;
        for (; i <= quads.Length - 16; i += 16)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(frame.Slice(i, 16)));
            var (a, b) = Vector128.Widen(low);
            var (c, d) = Vector128.Widen(high);
            var from = quads.Slice(i, 16);
            var to = results.Slice(i, 16);
            (Vector128.Create(from) >>> 8 | a << 24).CopyTo(to);
            (Vector128.Create(from[4..]) >>> 8 | b << 24).CopyTo(to[4..]);
            (Vector128.Create(from[8..]) >>> 8 | c << 24).CopyTo(to[8..]);
            (Vector128.Create(from[12..]) >>> 8 | d << 24).CopyTo(to[12..]);
        }
        return i;
    }

    private static int NewestOfQuads(ReadOnlySpan<byte> stack, Span<byte> frame)
    {
        var quads = MemoryMarshal.Cast<byte, uint>(stack);
        var i = 0;
        for (; i <= quads.Length - 16; i += 16)
        {
            var from = quads.Slice(i, 16);
            var low = Vector128.Narrow(Vector128.Create(from) >>> 24, Vector128.Create(from[4..]) >>> 24);
            var high = Vector128.Narrow(Vector128.Create(from[8..]) >>> 24, Vector128.Create(from[12..]) >>> 24);
            Vector128.Narrow(low, high).CopyTo(frame.Slice(i, 16));
        }
        return i;
    }

    private static bool QuadsFollow(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> next)
    {
        var quads = MemoryMarshal.Cast<byte, uint>(stack);
        var others = MemoryMarshal.Cast<byte, uint>(next);
        var vectors = MemoryMarshal.Cast<byte, Vector<uint>>(stack);
        var otherVectors = MemoryMarshal.Cast<byte, Vector<uint>>(next);
        var differences = Vector<uint>.Zero;
        for (var i = 0; i < vectors.Length; i++) differences |= vectors[i] ^ otherVectors[i] << 8;
        uint rest = 0;
        for (var i = vectors.Length * Vector<uint>.Count; i < quads.Length; i++) rest |= quads[i] ^ others[i] << 8;
        return Vector.EqualsAll(differences >>> 8, Vector<uint>.Zero) && rest >> 8 == 0;
    }

    private static void Check(int length, int expected)
    {
        if (length != expected) throw new ArgumentException($"A frame or stack of {length} bytes where {expected} are needed.");
    }
}

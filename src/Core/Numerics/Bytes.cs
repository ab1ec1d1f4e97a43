using System.Buffers;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Arrays of numbers seen as bytes, without a copy: little-endian, as the machine has them.</summary>
/// <remarks>Thread-safe. What is returned reads the array itself: whoever sends it keeps the array unchanged until then.</remarks>
public static class Bytes
{
    public static ReadOnlySequence<byte> Of(byte[] array) => new(array);

    /// <summary>The whole array. Costs one small object.</summary>
    public static ReadOnlySequence<byte> Of<T>(T[] array)
        where T : unmanaged => Of(array, array.Length);

    /// <summary>The first <paramref name="count"/> elements.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The array has fewer.</exception>
    public static ReadOnlySequence<byte> Of<T>(T[] array, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, array.Length);
        return new ReadOnlySequence<byte>(new View<T>(array, 0, count).Memory);
    }

    /// <summary>Memory that is a part of an array.</summary>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public static ReadOnlySequence<byte> Of<T>(ReadOnlyMemory<T> memory)
        where T : unmanaged =>
        MemoryMarshal.TryGetArray(memory, out var segment)
            ? new ReadOnlySequence<byte>(new View<T>(segment.Array!, segment.Offset, segment.Count).Memory)
            : throw new ArgumentException("This memory is no part of an array.", nameof(memory));

    /// <summary>Fills the beginning of the array from these bytes, which must be whole elements and fit.</summary>
    public static void CopyTo<T>(in ReadOnlySequence<byte> bytes, T[] array)
        where T : unmanaged => bytes.CopyTo(MemoryMarshal.AsBytes(array.AsSpan()));

    private sealed class View<T>(T[] array, int start, int count) : MemoryManager<byte>
        where T : unmanaged
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(array.AsSpan(start, count));

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            var pinned = GCHandle.Alloc(array, GCHandleType.Pinned);
            return new MemoryHandle((byte*)pinned.AddrOfPinnedObject() + (start * sizeof(T)) + elementIndex, pinned);
        }

        // The handle that Pin returned frees what it pinned.
        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}

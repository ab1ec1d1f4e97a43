using System.Buffers;
using System.Buffers.Binary;

namespace MessagePack;

// The bytes below the values: lengths, numbers, and the way from one segment of the sequence to the next.
public ref partial struct MessagePackReader
{
    private static MessagePackSerializationException Unexpected(byte code) =>
        new($"Unexpected code 0x{code:x2} ({Codes.TypeOf(code)}).");

    /// <summary>Bytes of a number after its code; 0 where the code is all of it.</summary>
    private static int NumberBytes(byte code) => code switch
    {
        Codes.UInt8 or Codes.Int8 => 1,
        Codes.UInt16 or Codes.Int16 => 2,
        Codes.UInt32 or Codes.Int32 or Codes.Float32 => 4,
        Codes.UInt64 or Codes.Int64 or Codes.Float64 => 8,
        _ => 0,
    };

    private uint ExtensionLength(byte code) => code switch
    {
        >= Codes.FixExt1 and <= Codes.FixExt16 => 1u << (code - Codes.FixExt1),
        Codes.Ext8 => ReadRawByte(),
        Codes.Ext16 => ReadRawUInt16(),
        _ => ReadRawUInt32(),
    };

    private uint StringLength(byte code) => code switch
    {
        >= Codes.FixString and < Codes.Nil => (uint)code & Codes.MaxFixStringBytes,
        Codes.String8 => ReadRawByte(),
        Codes.String16 => ReadRawUInt16(),
        Codes.String32 => ReadRawUInt32(),
        _ => throw Unexpected(code),
    };

    /// <summary>A count that the remaining bytes can hold: nobody allocates for more.</summary>
    private readonly int Count(uint count, int bytesEach) =>
        (long)count * bytesEach <= _length - Consumed ? (int)count : throw new EndOfStreamException();

    private long ReadUpTo63Bits(byte code) => code switch
    {
        Codes.UInt8 => ReadRawByte(),
        Codes.UInt16 => ReadRawUInt16(),
        Codes.UInt32 => ReadRawUInt32(),
        Codes.Int8 => (sbyte)ReadRawByte(),
        Codes.Int16 => (short)ReadRawUInt16(),
        Codes.Int32 => (int)ReadRawUInt32(),
        Codes.Int64 => (long)ReadRawUInt64(),
        _ => throw Unexpected(code),
    };

    private float ReadFloat32()
    {
        _index++;
        return BitConverter.UInt32BitsToSingle(ReadRawUInt32());
    }

    private double ReadFloat64()
    {
        _index++;
        return BitConverter.UInt64BitsToDouble(ReadRawUInt64());
    }

    private byte ReadRawByte()
    {
        if (_index == _span.Length) NextSegment();
        return _span[_index++];
    }

    private ushort ReadRawUInt16() =>
        TryTakeSpan(sizeof(ushort), out var bytes) ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)ReadSlowly(sizeof(ushort));

    private uint ReadRawUInt32() =>
        TryTakeSpan(sizeof(uint), out var bytes) ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : (uint)ReadSlowly(sizeof(uint));

    private ulong ReadRawUInt64() =>
        TryTakeSpan(sizeof(ulong), out var bytes) ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : ReadSlowly(sizeof(ulong));

    private ulong ReadSlowly(int count)
    {
        var value = 0UL;
        for (var i = 0; i < count; i++) value = (value << 8) | ReadRawByte();
        return value;
    }

    private bool TryTakeSpan(int count, out ReadOnlySpan<byte> bytes)
    {
        if (_span.Length - _index < count)
        {
            bytes = default;
            return false;
        }
        bytes = _span.Slice(_index, count);
        _index += count;
        return true;
    }

    private ReadOnlySequence<byte> Take(long count)
    {
        if (count > _length - Consumed) throw new EndOfStreamException();
        var bytes = _sequence.Slice(_sequence.GetPosition(_index, _start), count);
        while (count > _span.Length - _index)
        {
            count -= _span.Length - _index;
            _index = _span.Length;
            NextSegment();
        }
        _index += (int)count;
        return bytes;
    }

    private void NextSegment()
    {
        if (!TryNextSegment()) throw new EndOfStreamException();
    }

    /// <summary>To the next segment that has bytes; false, without a step, where there is none.</summary>
    private bool TryNextSegment()
    {
        var start = _next;
        while (_sequence.TryGet(ref _next, out var memory))
        {
            if (!memory.IsEmpty)
            {
                _before += _span.Length;
                (_start, _index) = (start, 0);
                _span = memory.Span;
                return true;
            }
            start = _next;
        }
        return false;
    }
}

using System.Buffers;
using System.Text;

namespace MessagePack;

/// <summary>Reads values in MessagePack from a sequence of bytes.</summary>
/// <remarks>
/// Pass it by reference. An integer is read whatever its encoding, if its value fits. After an exception the position is of no use.
/// Every read throws EndOfStreamException where the bytes end within the value; a value of another type is a
/// <see cref="MessagePackSerializationException"/>; an integer that does not fit is an OverflowException.
/// </remarks>
public ref partial struct MessagePackReader
{
    private readonly ReadOnlySequence<byte> _sequence;
    private readonly long _length;
    private SequencePosition _start, _next;
    private ReadOnlySpan<byte> _span;
    private int _index;
    private long _before;

    public MessagePackReader(ReadOnlyMemory<byte> memory)
        : this(new ReadOnlySequence<byte>(memory))
    {
    }

    public MessagePackReader(scoped in ReadOnlySequence<byte> readOnlySequence)
    {
        _sequence = readOnlySequence;
        _length = readOnlySequence.Length;
        _start = _next = readOnlySequence.Start;
        _span = default;
        _index = 0;
        _before = 0;
        TryNextSegment();
    }

    /// <summary>Bytes read so far.</summary>
    public readonly long Consumed => _before + _index;

    /// <summary>Whether all bytes are read.</summary>
    public readonly bool End => Consumed == _length;

    /// <summary>The next value's first byte.</summary>
    public byte NextCode
    {
        get
        {
            if (_index == _span.Length) NextSegment();
            return _span[_index];
        }
    }

    public MessagePackType NextMessagePackType => Codes.TypeOf(NextCode);

    public bool IsNil => NextCode == Codes.Nil;

    /// <summary>Reads nil where it comes next; else nothing.</summary>
    public bool TryReadNil()
    {
        if (NextCode != Codes.Nil) return false;
        _index++;
        return true;
    }

    public bool ReadBoolean()
    {
        var code = ReadRawByte();
        return code == Codes.True || (code == Codes.False ? false : throw Unexpected(code));
    }

    public byte ReadByte() => checked((byte)ReadUInt64());

    public short ReadInt16() => checked((short)ReadInt64());

    public int ReadInt32() => checked((int)ReadInt64());

    public uint ReadUInt32() => checked((uint)ReadUInt64());

    public long ReadInt64()
    {
        var code = ReadRawByte();
        return code switch
        {
            <= Codes.MaxFixInt => code,
            >= Codes.MinNegativeFixInt => (sbyte)code,
            Codes.UInt64 => checked((long)ReadRawUInt64()),
            _ => ReadUpTo63Bits(code),
        };
    }

    public ulong ReadUInt64()
    {
        var code = ReadRawByte();
        return code switch
        {
            <= Codes.MaxFixInt => code,
            >= Codes.MinNegativeFixInt => throw new OverflowException(),
            Codes.UInt64 => ReadRawUInt64(),
            _ => checked((ulong)ReadUpTo63Bits(code)),
        };
    }

    /// <summary>A float, a double rounded, or an integer.</summary>
    public float ReadSingle() => NextCode switch
    {
        Codes.Float32 => ReadFloat32(),
        Codes.UInt64 => ReadUInt64(),
        Codes.Float64 => (float)ReadFloat64(),
        _ => ReadInt64(),
    };

    /// <summary>A double, a float, or an integer.</summary>
    public double ReadDouble() => NextCode switch
    {
        Codes.Float64 => ReadFloat64(),
        Codes.Float32 => ReadFloat32(),
        Codes.UInt64 => ReadUInt64(),
        _ => ReadInt64(),
    };

    /// <summary>A string, or null for nil. What is not valid UTF-8 becomes replacement characters.</summary>
    public string ReadString()
    {
        var code = ReadRawByte();
        if (code == Codes.Nil) return null;
        var length = StringLength(code);
        if (length > _length - Consumed) throw new EndOfStreamException();
        if (length <= _span.Length - _index)
        {
            var text = Encoding.UTF8.GetString(_span.Slice(_index, (int)length));
            _index += (int)length;
            return text;
        }
        var bytes = Take(length);
        return Encoding.UTF8.GetString(in bytes);
    }

    /// <summary>The bytes of a binary (or of a string, as old writers had it), not copied; null for nil.</summary>
    public ReadOnlySequence<byte>? ReadBytes()
    {
        var code = ReadRawByte();
        return code switch
        {
            Codes.Nil => null,
            Codes.Bin8 => Take(ReadRawByte()),
            Codes.Bin16 => Take(ReadRawUInt16()),
            Codes.Bin32 => Take(ReadRawUInt32()),
            _ => Take(StringLength(code)),
        };
    }

    /// <summary>The number of elements that follow. There are at least as many bytes.</summary>
    public int ReadArrayHeader()
    {
        var code = ReadRawByte();
        return Count(code switch
        {
            >= Codes.FixArray and < Codes.FixString => (uint)code & Codes.MaxFixCount,
            Codes.Array16 => ReadRawUInt16(),
            Codes.Array32 => ReadRawUInt32(),
            _ => throw Unexpected(code),
        }, 1);
    }

    /// <summary>The number of pairs that follow. There are at least twice as many bytes.</summary>
    public int ReadMapHeader()
    {
        var code = ReadRawByte();
        return Count(code switch
        {
            >= Codes.FixMap and < Codes.FixArray => (uint)code & Codes.MaxFixCount,
            Codes.Map16 => ReadRawUInt16(),
            Codes.Map32 => ReadRawUInt32(),
            _ => throw Unexpected(code),
        }, 2);
    }

    /// <summary>Passes over the next value, with all that it contains, at any depth.</summary>
    public void Skip()
    {
        for (var pending = 1L; pending > 0; pending--)
        {
            var code = NextCode;
            switch (Codes.TypeOf(code))
            {
                case MessagePackType.Array:
                    pending += ReadArrayHeader();
                    break;
                case MessagePackType.Map:
                    pending += 2L * ReadMapHeader();
                    break;
                case MessagePackType.String or MessagePackType.Binary:
                    ReadBytes();
                    break;
                case MessagePackType.Extension:
                    _index++;
                    Take(1L + ExtensionLength(code));
                    break;
                case MessagePackType.Unknown:
                    throw Unexpected(code);
                default:
                    _index++;
                    Take(NumberBytes(code));
                    break;
            }
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Rl.Distributed.Runtime.Remote;

namespace MessagePack;

/// <summary>Writes values in MessagePack, each in its shortest form.</summary>
/// <remarks>Pass it by reference. What was written is in the buffer writer after <see cref="Flush"/>, and only then.</remarks>
public ref struct MessagePackWriter
{
    private const int ReferenceBytes = 4096;

    private readonly IBufferWriter<byte> _output;
    private Span<byte> _span;
    private int _used;

    public MessagePackWriter(IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        _output = writer;
        _span = default;
        _used = 0;
    }

    /// <summary>Room for at least this many bytes; <see cref="Advance"/> says how many were filled.</summary>
    public Span<byte> GetSpan(int length)
    {
        if (_span.Length - _used < length || _span.IsEmpty) NextSpan(length);
        return _span[_used..];
    }

    public void Advance(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _span.Length - _used);
        _used += length;
    }

    /// <summary>Hands what was written to the buffer writer.</summary>
    public void Flush()
    {
        if (_used > 0) _output.Advance(_used);
        _span = default;
        _used = 0;
    }

    public void WriteNil() => WriteCode(Codes.Nil);

    public void Write(bool value) => WriteCode(value ? Codes.True : Codes.False);

    public void Write(byte value) => Write((ulong)value);

    public void Write(short value) => Write((long)value);

    public void Write(int value) => Write((long)value);

    public void Write(uint value) => Write((ulong)value);

    public void Write(long value)
    {
        if (value >= 0) Write((ulong)value);
        else if (value >= -32) WriteCode((byte)value);
        else if (value >= sbyte.MinValue) WriteCodeAndByte(Codes.Int8, (byte)value);
        else if (value >= short.MinValue) WriteCodeAndUInt16(Codes.Int16, (ushort)value);
        else if (value >= int.MinValue) WriteCodeAndUInt32(Codes.Int32, (uint)value);
        else WriteCodeAndUInt64(Codes.Int64, (ulong)value);
    }

    public void Write(ulong value)
    {
        if (value <= Codes.MaxFixInt) WriteCode((byte)value);
        else if (value <= byte.MaxValue) WriteCodeAndByte(Codes.UInt8, (byte)value);
        else if (value <= ushort.MaxValue) WriteCodeAndUInt16(Codes.UInt16, (ushort)value);
        else if (value <= uint.MaxValue) WriteCodeAndUInt32(Codes.UInt32, (uint)value);
        else WriteCodeAndUInt64(Codes.UInt64, value);
    }

    public void Write(float value) => WriteCodeAndUInt32(Codes.Float32, BitConverter.SingleToUInt32Bits(value));

    public void Write(double value) => WriteCodeAndUInt64(Codes.Float64, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>As UTF-8; null as nil. What is not valid UTF-16 becomes replacement characters.</summary>
    public void Write(string value)
    {
        if (value is null)
        {
            WriteNil();
            return;
        }
        var count = Encoding.UTF8.GetByteCount(value);
        WriteStringHeader(count);
        var span = GetSpan(count);
        Advance(Encoding.UTF8.GetBytes(value, span));
    }

    /// <summary>The header of a string whose UTF-8 bytes the caller writes.</summary>
    public void WriteStringHeader(int byteCount)
    {
        if (byteCount <= Codes.MaxFixStringBytes) WriteCode((byte)(Codes.FixString | byteCount));
        else if (byteCount <= byte.MaxValue) WriteCodeAndByte(Codes.String8, (byte)byteCount);
        else if (byteCount <= ushort.MaxValue) WriteCodeAndUInt16(Codes.String16, (ushort)byteCount);
        else WriteCodeAndUInt32(Codes.String32, (uint)byteCount);
    }

    /// <summary>As binary; null as nil.</summary>
    public void Write(byte[] src)
    {
        if (src is null) WriteNil();
        else Write(src.AsSpan());
    }

    /// <summary>As binary.</summary>
    public void Write(ReadOnlySpan<byte> src)
    {
        WriteBinHeader(src.Length);
        WriteRaw(src);
    }

    /// <summary>As binary. A large single segment goes by reference to a writer that takes references: it must not change until
    /// the message has left.</summary>
    public void Write(in ReadOnlySequence<byte> src)
    {
        WriteBinHeader(checked((int)src.Length));
        if (src.IsSingleSegment && src.Length >= ReferenceBytes && _output is IReferenceWriter references)
        {
            Flush();
            references.Append(src.First);
        }
        else WriteRaw(src);
    }

    /// <summary>The header of a binary whose bytes the caller writes.</summary>
    public void WriteBinHeader(int length)
    {
        if (length <= byte.MaxValue) WriteCodeAndByte(Codes.Bin8, (byte)length);
        else if (length <= ushort.MaxValue) WriteCodeAndUInt16(Codes.Bin16, (ushort)length);
        else WriteCodeAndUInt32(Codes.Bin32, (uint)length);
    }

    /// <summary>The header of an array; the caller writes its elements.</summary>
    public void WriteArrayHeader(int count) => WriteCount(Codes.FixArray, Codes.Array16, Codes.Array32, checked((uint)count));

    /// <summary>The header of a map; the caller writes each key and its value.</summary>
    public void WriteMapHeader(int count) => WriteCount(Codes.FixMap, Codes.Map16, Codes.Map32, checked((uint)count));

    /// <summary>Bytes that are MessagePack already, or the body of a header.</summary>
    public void WriteRaw(ReadOnlySpan<byte> rawMessagePackBlock)
    {
        if (rawMessagePackBlock.TryCopyTo(_span[_used..])) _used += rawMessagePackBlock.Length;
        else
        {
            Flush();
            _output.Write(rawMessagePackBlock);
        }
    }

    /// <summary>Bytes that are MessagePack already, or the body of a header.</summary>
    public void WriteRaw(in ReadOnlySequence<byte> rawMessagePackBlock)
    {
        foreach (var segment in rawMessagePackBlock) WriteRaw(segment.Span);
    }

    private void WriteCount(byte fixCode, byte code16, byte code32, uint count)
    {
        if (count <= Codes.MaxFixCount) WriteCode((byte)(fixCode | count));
        else if (count <= ushort.MaxValue) WriteCodeAndUInt16(code16, (ushort)count);
        else WriteCodeAndUInt32(code32, count);
    }

    private void WriteCode(byte code)
    {
        if (_used == _span.Length) NextSpan(1);
        _span[_used++] = code;
    }

    private void WriteCodeAndByte(byte code, byte value)
    {
        var span = GetSpan(2);
        (span[0], span[1]) = (code, value);
        _used += 2;
    }

    private void WriteCodeAndUInt16(byte code, ushort value)
    {
        var span = GetSpan(3);
        span[0] = code;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
        _used += 3;
    }

    private void WriteCodeAndUInt32(byte code, uint value)
    {
        var span = GetSpan(5);
        span[0] = code;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
        _used += 5;
    }

    private void WriteCodeAndUInt64(byte code, ulong value)
    {
        var span = GetSpan(9);
        span[0] = code;
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
        _used += 9;
    }

    private void NextSpan(int length)
    {
        Flush();
        _span = _output.GetSpan(length);
    }
}

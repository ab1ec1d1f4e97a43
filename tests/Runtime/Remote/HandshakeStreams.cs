namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>A peer that says what it was told to say, whatever it hears; what it hears is kept.</summary>
internal sealed class ScriptedStream(ReadOnlyMemory<byte> script, int atOnce = int.MaxValue, Action onRead = null) : Stream
{
    private readonly MemoryStream _heard = new();

    /// <summary>Bytes that were read from it.</summary>
    public int Said { get; private set; }

    public ReadOnlySpan<byte> Heard => _heard.GetBuffer().AsSpan(0, (int)_heard.Length);

    public override int Read(Span<byte> buffer)
    {
        onRead?.Invoke();
        var count = Math.Min(Math.Min(buffer.Length, atOnce), script.Length - Said);
        script.Span.Slice(Said, count).CopyTo(buffer);
        Said += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => _heard.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => _heard.Write(buffer);

    public override void Flush()
    {
    }

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>A man in the middle: sees what one end reads and writes, and may change one byte of what it reads.</summary>
internal sealed class TappedStream(Stream inner, int changed = -1) : Stream
{
    private readonly MemoryStream _read = new(), _written = new();

    public byte[] WasRead => _read.ToArray();
    public byte[] Written => _written.ToArray();

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        var at = changed - (int)_read.Length;
        if (at >= 0 && at < count) buffer[at] ^= 0x41;
        _read.Write(buffer[..count]);
        return count;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _written.Write(buffer);
        inner.Write(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    public override void Flush() => inner.Flush();
    public override bool CanTimeout => inner.CanTimeout;
    public override int ReadTimeout { get => inner.ReadTimeout; set => inner.ReadTimeout = value; }
    public override int WriteTimeout { get => inner.WriteTimeout; set => inner.WriteTimeout = value; }
    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}

using System.Net.Sockets;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>A stream that allows a handshake so much time and so many bytes, and steps aside when it is over.</summary>
/// <remarks>Synchronous while limited; one thread. Afterwards as thread-safe as the inner stream.</remarks>
internal sealed class HandshakeStream : Stream
{
    private readonly Stream _inner;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _timeout;
    private readonly long _start;
    private readonly int _maxBytes;
    private readonly Action _onFirst;
    private readonly (int Read, int Write) _usual;
    private readonly byte[] _first = new byte[HandshakeHello.MagicSize];
    private int _bytes;
    private bool _lifted;

    public HandshakeStream(Stream inner, TimeProvider clock, TimeSpan timeout, int maxBytes, Action onFirst)
    {
        (_inner, _clock, _timeout, _maxBytes, _onFirst) = (inner, clock, timeout, maxBytes, onFirst);
        _start = clock.GetTimestamp();
        if (inner.CanTimeout) _usual = (inner.ReadTimeout, inner.WriteTimeout);
    }

    /// <summary>The time is up, or a read or write ran out of it.</summary>
    public bool TimedOut { get; private set; }

    /// <summary>The peer sent more than it may.</summary>
    public bool Overrun { get; private set; }

    /// <summary>What came first, as far as it came.</summary>
    public ReadOnlySpan<byte> First => _first.AsSpan(0, Math.Min(_bytes, _first.Length));

    /// <summary>No limits from here on.</summary>
    public void Lift()
    {
        _lifted = true;
        if (_inner.CanTimeout) (_inner.ReadTimeout, _inner.WriteTimeout) = _usual;
    }

    public override int Read(Span<byte> buffer)
    {
        if (_lifted) return _inner.Read(buffer);
        // SslStream waits for data by reading none: there it could wait without a limit.
        if (buffer.IsEmpty) return 0;
        var left = Left();
        if (_bytes == _maxBytes)
        {
            Overrun = true;
            throw new IOException($"more than {_maxBytes} bytes");
        }
        if (_inner.CanTimeout) _inner.ReadTimeout = left;
        int count;
        try
        {
            count = _inner.Read(buffer[..Math.Min(buffer.Length, _maxBytes - _bytes)]);
        }
        catch (IOException e)
        {
            NoteTimeout(e);
            throw;
        }
        if (_bytes < _first.Length) buffer[..Math.Min(count, _first.Length - _bytes)].CopyTo(_first.AsSpan(_bytes));
        if (_bytes == 0 && count > 0) _onFirst();
        _bytes += count;
        return count;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!_lifted && _inner.CanTimeout) _inner.WriteTimeout = Left();
        try
        {
            _inner.Write(buffer);
        }
        catch (IOException e)
        {
            NoteTimeout(e);
            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Flush() => _inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override bool CanTimeout => _inner.CanTimeout;
    public override int ReadTimeout { get => _inner.ReadTimeout; set => _inner.ReadTimeout = value; }
    public override int WriteTimeout { get => _inner.WriteTimeout; set => _inner.WriteTimeout = value; }
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Milliseconds left, at least 1.</summary>
    private int Left()
    {
        var left = _timeout - _clock.GetElapsedTime(_start);
        if (left > TimeSpan.Zero) return (int)Math.Min(Math.Ceiling(left.TotalMilliseconds), int.MaxValue);
        TimedOut = true;
        throw new IOException("the time is up");
    }

    private void NoteTimeout(IOException e) =>
        TimedOut |= !_lifted && (e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
            || _clock.GetElapsedTime(_start) >= _timeout);
}

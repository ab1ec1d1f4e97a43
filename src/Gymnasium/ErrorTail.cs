using System.Text;

namespace Rl.Distributed.Gymnasium;

/// <summary>The last that a process wrote to its standard error. Thread-safe.</summary>
internal sealed class ErrorTail
{
    private const int Capacity = 8192;

    private readonly byte[] _kept = new byte[Capacity];
    private readonly Thread _reader;
    private long _written;

    /// <summary>Reads until the stream ends, and disposes of it then.</summary>
    public ErrorTail(Stream stream)
    {
        _reader = new Thread(() => Read(stream), 256 * 1024) { IsBackground = true, Name = "python-errors" };
        _reader.Start();
    }

    /// <summary>Waits for the end of the stream, at most that long.</summary>
    public void AwaitEnd(TimeSpan limit) => _reader.Join(limit);

    public override string ToString()
    {
        lock (_kept)
        {
            var count = (int)Math.Min(_written, Capacity);
            var bytes = new byte[count];
            for (var i = 0; i < count; i++) bytes[i] = _kept[(_written - count + i) % Capacity];
            var text = Encoding.UTF8.GetString(bytes).Trim();
            return _written > Capacity ? $"…{text}" : text;
        }
    }

    private void Read(Stream stream)
    {
        var buffer = new byte[4096];
        using var disposed = stream;
        try
        {
            while (stream.Read(buffer) is var count and > 0)
                lock (_kept)
                    for (var i = 0; i < count; i++) _kept[_written++ % Capacity] = buffer[i];
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The process is disposed of: nobody asks any more.
        }
    }
}

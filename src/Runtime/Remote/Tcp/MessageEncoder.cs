using System.Buffers;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Takes a message's bytes from its codec; large memory is referred to, not copied.</summary>
/// <remarks>One a thread, used again for each message. What a bulk message keeps is handed over by <see cref="Detach"/>.</remarks>
internal sealed class MessageEncoder : IReferenceWriter
{
    /// <summary>Shorter memory is copied.</summary>
    private const int ReferenceBytes = 4 << 10;

    private readonly byte[] _scratch = new byte[Frame.BulkBytes];
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private readonly List<byte[]> _rented = [];
    private byte[] _buffer;
    private int _start, _end;

    [ThreadStatic]
    private static MessageEncoder t_own;

    public MessageEncoder() => _buffer = _scratch;

    /// <summary>The calling thread's, empty.</summary>
    public static MessageEncoder OfThread => t_own ??= new MessageEncoder();

    /// <summary>Bytes of the message so far.</summary>
    public long Length { get; private set; }

    public void Advance(int count)
    {
        _end += count;
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_end);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_end);
    }

    public void Append(ReadOnlyMemory<byte> memory)
    {
        if (memory.Length < ReferenceBytes)
        {
            memory.Span.CopyTo(GetSpan(memory.Length));
            Advance(memory.Length);
            return;
        }
        ClosePiece();
        _pieces.Add(memory);
        Length += memory.Length;
    }

    /// <summary>Copies the message, which must fit.</summary>
    public void CopyTo(Span<byte> to)
    {
        foreach (var piece in _pieces)
        {
            piece.Span.CopyTo(to);
            to = to[piece.Length..];
        }
        _buffer.AsSpan(_start, _end - _start).CopyTo(to);
    }

    /// <summary>The message as memory that stays as it is when this encoder is used again, and the pooled arrays in it.</summary>
    public (ReadOnlyMemory<byte>[] Pieces, byte[][] Rented) Detach()
    {
        ClosePiece();
        var own = new byte[_pieces.Sum(piece => IsScratch(piece) ? piece.Length : 0)];
        var used = 0;
        for (var i = 0; i < _pieces.Count; i++)
        {
            if (!IsScratch(_pieces[i])) continue;
            _pieces[i].CopyTo(own.AsMemory(used));
            _pieces[i] = own.AsMemory(used, _pieces[i].Length);
            used += _pieces[i].Length;
        }
        var result = (_pieces.ToArray(), _rented.ToArray());
        _rented.Clear();
        return result;
    }

    /// <summary>Makes it ready for the next message.</summary>
    public void Clear()
    {
        if (_rented.Count > 0 || _pieces.Count > 0)
        {
            foreach (var array in _rented) ArrayPool<byte>.Shared.Return(array);
            _rented.Clear();
            _pieces.Clear();
        }
        _buffer = _scratch;
        (_start, _end, Length) = (0, 0, 0);
    }

    private bool IsScratch(ReadOnlyMemory<byte> piece) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(piece, out var segment) && ReferenceEquals(segment.Array, _scratch);

    private void Reserve(int sizeHint)
    {
        if (_buffer.Length - _end >= Math.Max(sizeHint, 1)) return;
        ClosePiece();
        _buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(sizeHint, Math.Clamp(Length, 2 * Frame.BulkBytes, 16 << 20)));
        _rented.Add(_buffer);
        (_start, _end) = (0, 0);
    }

    private void ClosePiece()
    {
        if (_end > _start) _pieces.Add(_buffer.AsMemory(_start, _end - _start));
        _start = _end;
    }
}

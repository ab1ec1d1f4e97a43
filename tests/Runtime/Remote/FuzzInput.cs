using System.Text;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>Bytes that a peer should not send: what it should send, changed at random. The same seed makes the same inputs.</summary>
internal sealed class FuzzInput(int seed, IReadOnlyList<byte[]> corpus)
{
    private static readonly byte[] Edges = [0, 1, 2, 3, 4, 0x16, 0x7F, 0x80, 0xFE, 0xFF];

    private readonly Random _random = new(seed);
    private readonly byte[] _buffer = new byte[64 << 10];

    /// <summary>Rounds of a default run, or of a long one where RL_SLOW_TESTS=1.</summary>
    public static int Rounds(int usual, int slow) => Environment.GetEnvironmentVariable("RL_SLOW_TESTS") == "1" ? slow : usual;

    /// <summary>Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Next()
    {
        var length = 0;
        if (_random.Next(50) == 0)
        {
            length = _random.Next(300);
            _random.NextBytes(_buffer.AsSpan(0, length));
            return _buffer.AsMemory(0, length);
        }
        for (var parts = _random.Next(4) == 0 ? _random.Next(2, 5) : 1; parts > 0; parts--)
        {
            var part = corpus[_random.Next(corpus.Count)];
            part.CopyTo(_buffer, length);
            length += part.Length;
        }
        for (var changes = _random.Next(1, 5); changes > 0; changes--) length = Change(length);
        return _buffer.AsMemory(0, length);
    }

    private int Change(int length)
    {
        if (length == 0) return 0;
        var at = _random.Next(length);
        var count = Math.Min(_random.Next(1, 9), length - at);
        switch (_random.Next(7))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << _random.Next(8));
                return length;
            case 1:
                _buffer[at] = Edges[_random.Next(Edges.Length)];
                return length;
            case 2:
                _random.NextBytes(_buffer.AsSpan(at, count));
                return length;
            case 3:
                return at;
            case 4:
                _buffer.AsSpan(at + count, length - at - count).CopyTo(_buffer.AsSpan(at));
                return length - count;
            case 5:
                if (length + count > _buffer.Length) return length;
                _buffer.AsSpan(at, length - at).CopyTo(_buffer.AsSpan(at + count));
                return length + count;
            default:
                _buffer.AsSpan(at, count).CopyTo(_buffer.AsSpan(_random.Next(length - count + 1)));
                return length;
        }
    }

    /// <summary>What a dialer and a listener say, without a secret and as far as one gets who does not know it.</summary>
    public static List<byte[]> Handshakes()
    {
        byte[] hello = [.. "RLD1"u8, 0, 1, 0, .. Enumerable.Range(0, 32).Select(i => (byte)i)];
        byte[] withSecret = [.. hello];
        withSecret[6] = 1;
        byte[] body = [0, 0, 0, 3, 0, 0, 0, 11, 0x13, 0x88, 2, .. "rl"u8, 2, .. "rl"u8, 8, .. "10.0.0.1"u8];
        byte[] identity = [2, 0, (byte)body.Length, .. body];
        byte[] tag = new byte[32];
        return
        [
            [.. hello, 1, 0, 0, .. identity, 3, 0, 0],
            [.. hello, .. identity, 3, 0, 0],
            [.. hello, 4, 0, 1, 11],
            [.. withSecret, 1, 0, 0, .. tag, .. identity, .. tag],
            [.. withSecret, .. identity, .. tag, 3, 0, 0, .. tag],
        ];
    }

    /// <summary>Frames of every kind.</summary>
    public static List<byte[]> Frames() =>
    [
        Make(FrameKind.Heartbeat),
        Make(FrameKind.Goodbye),
        Make(FrameKind.Hello, Varint(7)),
        [.. Make(FrameKind.Path, Varint(3), Text("/user/replay#42")),
            .. Make(FrameKind.Message, Varint(3), Varint(0), Varint(5), [1, 2, 3])],
        [
            .. Make(FrameKind.Path, Varint(3), Text("/user/a")), .. Make(FrameKind.Path, Varint(2047), Text("/user/b")),
            .. Make(FrameKind.Message, Varint(3), Varint(2048), Varint(700), [9]),
        ],
        Make(FrameKind.Inline, Text("/user/replay"), Text("/user/worker-1"), Varint(5), [1, 2, 3, 4]),
        Make(FrameKind.Inline, Text("/system/heartbeats"), Varint(0), Varint(1)),
        [
            .. Make(FrameKind.BulkStart, [2], Text("/user/replay"), Text("/user/w"), Varint(9), Varint(400)),
            .. Make(FrameKind.BulkData, [2], new byte[150]), .. Make(FrameKind.Heartbeat), .. Make(FrameKind.BulkData, [2], new byte[250]),
        ],
        [
            .. Make(FrameKind.BulkStart, [0], Text("/user/a"), Varint(0), Varint(9), Varint(40_000)),
            .. Make(FrameKind.BulkStart, [7], Text("/user/b"), Varint(0), Varint(9), Varint(64)),
                .. Make(FrameKind.BulkData, [7], new byte[64]),
        ],
    ];

    private static byte[] Make(FrameKind kind, params byte[][] parts)
    {
        byte[] body = [.. parts.SelectMany(part => part)];
        var frame = new byte[Frame.HeaderBytes + body.Length];
        Frame.WriteHeader(frame, kind, body.Length);
        body.CopyTo(frame, Frame.HeaderBytes);
        return frame;
    }

    private static byte[] Varint(uint value)
    {
        Span<byte> bytes = stackalloc byte[5];
        return bytes[..Frame.WriteVarint(bytes, value)].ToArray();
    }

    private static byte[] Text(string text) => [.. Varint((uint)Encoding.UTF8.GetByteCount(text) + 1), .. Encoding.UTF8.GetBytes(text)];
}

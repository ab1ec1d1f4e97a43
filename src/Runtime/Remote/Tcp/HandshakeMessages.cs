using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What follows the hellos: one byte of kind, two of length, the body, and where there is a secret a tag of 32 bytes.</summary>
internal enum HandshakeKind : byte
{
    /// <summary>The dialer's first tag. No body.</summary>
    Proof = 1,
    Identity = 2,

    /// <summary>The connection may be used. No body.</summary>
    Accept = 3,

    /// <summary>One byte, the <see cref="RefuseReason"/>; never a tag, since the other side may not be able to check it.</summary>
    Refuse = 4,
}

/// <summary>The first bytes in each direction: magic, protocol version, what the side has, nonce. All numbers are big-endian.</summary>
internal readonly record struct HandshakeHello(int Version, bool HasSecret, bool HasTls)
{
    public const int Size = 39, MagicSize = 4, NonceOffset = 7, ProtocolVersion = 1;

    public static ReadOnlySpan<byte> Magic => "RLD1"u8;

    /// <summary>Writes it with a new nonce.</summary>
    public void Write(Span<byte> hello)
    {
        Magic.CopyTo(hello);
        BinaryPrimitives.WriteUInt16BigEndian(hello[4..], (ushort)Version);
        hello[6] = (byte)((HasSecret ? 1 : 0) | (HasTls ? 2 : 0));
        RandomNumberGenerator.Fill(hello[NonceOffset..]);
    }

    /// <summary>Flags that later versions may add are skipped: the version says whether the two understand each other.</summary>
    public static HandshakeHello Read(ReadOnlySpan<byte> hello) =>
        new(BinaryPrimitives.ReadUInt16BigEndian(hello[4..]), (hello[6] & 1) != 0, (hello[6] & 2) != 0);
}

/// <summary>Who a side is: what it tells once the other has proved to know the secret.</summary>
internal readonly record struct HandshakeIdentity(int WireVersion, string ClusterName, Address Address, int Uid)
{
    private const int MaxText = 255;

    /// <summary>The largest body: three numbers and three texts.</summary>
    public const int MaxSize = 10 + 3 * (1 + MaxText);

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <exception cref="ArgumentException">A name is empty, too long or has characters that do not belong into names.</exception>
    public int Write(Span<byte> body)
    {
        if (Address is not { HasGlobalScope: true, Port: not null }) throw new ArgumentException($"'{Address}' has no host and port.");
        if (Uid <= 0) throw new ArgumentException($"The uid must be positive, it is {Uid}.");
        BinaryPrimitives.WriteInt32BigEndian(body, WireVersion);
        BinaryPrimitives.WriteInt32BigEndian(body[4..], Uid);
        BinaryPrimitives.WriteUInt16BigEndian(body[8..], checked((ushort)Address.Port.Value));
        var at = 10;
        WriteText(body, ref at, "cluster name", ClusterName, IsText);
        WriteText(body, ref at, "system's name", Address.System, IsName);
        WriteText(body, ref at, "host", Address.Host, IsHost);
        return at;
    }

    /// <summary>False where the bytes are no identity; what comes out is safe to log.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out HandshakeIdentity identity)
    {
        identity = default;
        if (body.Length < 10) return false;
        var (wireVersion, uid) = (BinaryPrimitives.ReadInt32BigEndian(body), BinaryPrimitives.ReadInt32BigEndian(body[4..]));
        var port = BinaryPrimitives.ReadUInt16BigEndian(body[8..]);
        body = body[10..];
        if (uid <= 0 || port == 0
            || !TryReadText(ref body, IsText, out var cluster)
            || !TryReadText(ref body, IsName, out var system)
            || !TryReadText(ref body, IsHost, out var host)
            || body.Length != 0)
        {
            return false;
        }
        identity = new HandshakeIdentity(wireVersion, cluster, new Address("akka.tcp", system, host, port), uid);
        return true;
    }

    private static void WriteText(Span<byte> body, ref int at, string what, string text, Func<char, bool> belongs)
    {
        if (string.IsNullOrEmpty(text) || !text.All(belongs))
            throw new ArgumentException($"The {what} '{text}' is no name for the network.");
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > MaxText) throw new ArgumentException($"The {what} '{text}' has {bytes} bytes, at most {MaxText} are possible.");
        body[at] = (byte)bytes;
        Encoding.UTF8.GetBytes(text, body[(at + 1)..]);
        at += 1 + bytes;
    }

    private static bool TryReadText(ref ReadOnlySpan<byte> body, Func<char, bool> belongs, out string text)
    {
        text = null;
        if (body.Length == 0 || body[0] == 0 || body.Length < 1 + body[0]) return false;
        try
        {
            text = Utf8.GetString(body.Slice(1, body[0]));
        }
        catch (ArgumentException)
        {
            return false;
        }
        body = body[(1 + body[0])..];
        return text.All(belongs);
    }

    /// <summary>A text of a stranger with its odd characters replaced.</summary>
    public static string Loggable(string text) =>
        new(text.Take(MaxText).Select(c => IsText(c) ? c : '?').ToArray());

    /// <summary>Nothing that could break a line of a log or of a terminal.</summary>
    private static bool IsText(char c) => c == ' ' || char.IsLetterOrDigit(c) || char.IsPunctuation(c) || char.IsSymbol(c);

    private static bool IsName(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';

    private static bool IsHost(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '[' or ']' or '%';
}

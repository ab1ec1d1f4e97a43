using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>One handshake: hello, hello, proof, identity, identity, accept, accept, the dialer first and then in turns.</summary>
/// <remarks>
/// Where both have a secret, every message after the hellos ends with HMAC-SHA256(key, role | SHA-256(all bytes so far)), key =
/// HKDF-SHA256(secret): it proves the secret for these two nonces and this role, and that both saw the same bytes.
/// </remarks>
internal sealed class HandshakeTalk : IDisposable
{
    private const int Header = 3, TagSize = 32;

    private readonly Stream _stream;
    private readonly HandshakeOptions _options;
    private readonly bool _isDialer;
    private readonly IncrementalHash _said = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _key;
    private readonly byte[] _buffer = new byte[Header + HandshakeIdentity.MaxSize + TagSize];
    private string _peer;

    public HandshakeTalk(Stream stream, HandshakeOptions options, bool isDialer)
    {
        (_stream, _options, _isDialer, _peer) = (stream, options, isDialer, options.Peer);
        if (!options.Secret.IsEmpty)
        {
            _key = new byte[TagSize];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, options.Secret.Span, _key, [], "Rl.Distributed handshake 1"u8);
        }
    }

    public void Dispose() => _said.Dispose();

    public HandshakeIdentity Dial(ReadOnlySpan<byte> own)
    {
        Span<byte> ours = stackalloc byte[HandshakeHello.Size], theirs = stackalloc byte[HandshakeHello.Size];
        WriteHello(ours);
        ReadMagic(theirs);
        ReadRest(theirs);
        Agree(ours, theirs, ours, theirs);
        Send(HandshakeKind.Proof, []);
        var peer = ReadIdentity();
        var reason = Judge(peer);
        Send(HandshakeKind.Identity, own);
        try
        {
            Receive(HandshakeKind.Accept);
        }
        catch (Exception e) when (reason is not null && (e is HandshakeException or IOException))
        {
            // The listener found the same.
            throw reason;
        }
        if (reason is not null || Decide(peer, out reason)) throw Refuse(reason);
        Send(HandshakeKind.Accept, []);
        return peer;
    }

    public HandshakeIdentity Listen(ReadOnlySpan<byte> own)
    {
        Span<byte> ours = stackalloc byte[HandshakeHello.Size], theirs = stackalloc byte[HandshakeHello.Size];
        // Nothing is said to a stranger that does not begin with the magic.
        ReadMagic(theirs);
        WriteHello(ours);
        ReadRest(theirs);
        Agree(ours, theirs, theirs, ours);
        Receive(HandshakeKind.Proof);
        Send(HandshakeKind.Identity, own);
        var peer = ReadIdentity();
        var reason = Judge(peer);
        if (reason is not null || Decide(peer, out reason)) throw Refuse(reason);
        Send(HandshakeKind.Accept, []);
        Receive(HandshakeKind.Accept);
        return peer;
    }

    private void WriteHello(Span<byte> hello)
    {
        new HandshakeHello(HandshakeHello.ProtocolVersion, _key is not null, _options.Tls is not null).Write(hello);
        _stream.Write(hello);
        _stream.Flush();
    }

    private void ReadMagic(Span<byte> hello)
    {
        var magic = hello[..HandshakeHello.MagicSize];
        _stream.ReadExactly(magic);
        if (magic.SequenceEqual(HandshakeHello.Magic)) return;
        // A TLS record that opens a handshake. Our hello tells the caller what is wrong.
        if (magic[0] == 0x16 && magic[1] == 3 && _options.Tls is null)
        {
            if (!_isDialer) WriteHello(stackalloc byte[HandshakeHello.Size]);
            throw new HandshakeException(RefuseReason.TlsMissing, $"{_peer} has TLS, we have none");
        }
        throw new HandshakeException(RefuseReason.Malformed, $"{_peer} does not speak this protocol");
    }

    private void ReadRest(Span<byte> hello) => _stream.ReadExactly(hello[HandshakeHello.MagicSize..]);

    /// <summary>Compares the hellos and puts them on record, the dialer's first. Both sides find the same reasons.</summary>
    private void Agree(ReadOnlySpan<byte> ours, ReadOnlySpan<byte> theirs, ReadOnlySpan<byte> dialer, ReadOnlySpan<byte> listener)
    {
        var (here, there) = (HandshakeHello.Read(ours), HandshakeHello.Read(theirs));
        if (here.HasTls != there.HasTls) throw new HandshakeException(RefuseReason.TlsMissing, Only("TLS", here.HasTls));
        if (here.Version != there.Version)
        {
            throw new HandshakeException(
                RefuseReason.ProtocolVersion, $"protocol version {here.Version} here, {there.Version} at {_peer}");
        }
        if (here.HasSecret != there.HasSecret) throw new HandshakeException(RefuseReason.SecretMissing, Only("a secret", here.HasSecret));
        if (ours[HandshakeHello.NonceOffset..].SequenceEqual(theirs[HandshakeHello.NonceOffset..]))
        {
            throw new HandshakeException(RefuseReason.Malformed, $"{_peer} sends our own bytes back");
        }
        _said.AppendData(dialer);
        _said.AppendData(listener);
    }

    private string Only(string what, bool here) => here ? $"we have {what}, {_peer} has none" : $"{_peer} has {what}, we have none";

    private HandshakeIdentity ReadIdentity()
    {
        if (!HandshakeIdentity.TryRead(Receive(HandshakeKind.Identity), out var peer)) throw Malformed();
        _peer = HandshakeOptions.Name(peer.Address);
        return peer;
    }

    /// <summary>Why the two do not belong together; null where they do.</summary>
    private HandshakeException Judge(in HandshakeIdentity peer)
    {
        if (peer.ClusterName != _options.ClusterName)
        {
            return new HandshakeException(
                RefuseReason.ClusterName, $"cluster '{_options.ClusterName}' here, '{peer.ClusterName}' at {_peer}");
        }
        if (peer.WireVersion != _options.WireVersion)
        {
            return new HandshakeException(
                RefuseReason.WireVersion, $"wire version {_options.WireVersion} here, {peer.WireVersion} at {_peer}");
        }
        if (peer.Address == _options.Address && peer.Uid == _options.Uid)
        {
            return new HandshakeException(RefuseReason.Itself, $"{_peer} is this system itself");
        }
        return _options.Expected is null || peer.Address == _options.Expected
            ? null
            : new HandshakeException(
                RefuseReason.WrongAddress, $"asked for {_options.Expected}, found {peer.Address}: use the latter, which it advertises");
    }

    private bool Decide(in HandshakeIdentity peer, out HandshakeException reason)
    {
        reason = _options.Decide(peer.Address, peer.Uid) is { } refused ? HandshakeException.Own(refused, _peer, peer.Uid) : null;
        return reason is not null;
    }

    private HandshakeException Refuse(HandshakeException reason)
    {
        try
        {
            Send(HandshakeKind.Refuse, [(byte)reason.Reason]);
        }
        catch (IOException)
        {
            // Then the peer does not hear why.
        }
        return reason;
    }

    private HandshakeException Malformed() =>
        Refuse(new HandshakeException(RefuseReason.Malformed, $"{_peer} breaks the handshake's rules"));

    private void Send(HandshakeKind kind, ReadOnlySpan<byte> body)
    {
        _buffer[0] = (byte)kind;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(1), (ushort)body.Length);
        body.CopyTo(_buffer.AsSpan(Header));
        var length = Header + body.Length;
        _said.AppendData(_buffer.AsSpan(0, length));
        if (_key is not null && kind != HandshakeKind.Refuse)
        {
            Tag(_isDialer, _buffer.AsSpan(length, TagSize));
            _said.AppendData(_buffer.AsSpan(length, TagSize));
            length += TagSize;
        }
        _stream.Write(_buffer.AsSpan(0, length));
        _stream.Flush();
    }

    /// <summary>The body of the next message, which must be of this kind and tagged by one who knows the secret.</summary>
    private ReadOnlySpan<byte> Receive(HandshakeKind kind)
    {
        var header = _buffer.AsSpan(0, Header);
        _stream.ReadExactly(header);
        var (got, length) = ((HandshakeKind)header[0], BinaryPrimitives.ReadUInt16BigEndian(header[1..]));
        if (got == HandshakeKind.Refuse && length == 1)
        {
            _stream.ReadExactly(_buffer.AsSpan(0, 1));
            throw HandshakeException.FromPeer(_buffer[0], _peer, _options.Uid);
        }
        if (got != kind || length > HandshakeIdentity.MaxSize || (kind != HandshakeKind.Identity && length != 0)) throw Malformed();
        var message = _buffer.AsSpan(0, Header + length);
        _stream.ReadExactly(message[Header..]);
        _said.AppendData(message);
        if (_key is not null)
        {
            Span<byte> expected = stackalloc byte[TagSize];
            Tag(!_isDialer, expected);
            var tag = _buffer.AsSpan(message.Length, TagSize);
            _stream.ReadExactly(tag);
            if (!CryptographicOperations.FixedTimeEquals(expected, tag))
            {
                throw Refuse(new HandshakeException(RefuseReason.SecretDiffers, $"the secret differs from that of {_peer}"));
            }
            _said.AppendData(tag);
        }
        return message[Header..];
    }

    private void Tag(bool dialer, Span<byte> tag)
    {
        Span<byte> text = stackalloc byte[8 + SHA256.HashSizeInBytes];
        var role = dialer ? "dialer"u8 : "listener"u8;
        role.CopyTo(text);
        _said.GetCurrentHash(text[role.Length..]);
        HMACSHA256.HashData(_key, text[..(role.Length + SHA256.HashSizeInBytes)], tag);
    }
}

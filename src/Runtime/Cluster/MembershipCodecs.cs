using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using MessagePack;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>Membership on the wire: ids 32 to 38. An address is its text, a node an address and its uid.</summary>
internal static class MembershipCodecs
{
    /// <summary>Of anything that comes in numbers.</summary>
    private const int MostItems = 10_000;

    public static EngineCodec[] All { get; } =
    [
        new PlainCodec<InitJoin>(32, (ref MessagePackWriter w, InitJoin m) => w.WriteNil(), ReadInitJoin),
        new PlainCodec<InitJoinAck>(33, Write, (ref MessagePackReader r) => new InitJoinAck(ReadId(ref r), ReadAddress(ref r))),
        new PlainCodec<Join>(34, Write,
            (ref MessagePackReader r) => new Join(ReadNode(ref r), ReadRoles(ref r), ReadMany(ref r, ReadAddress))),
        new PlainCodec<View>(35, Write, ReadView),
        new PlainCodec<Report>(36, Write,
            (ref MessagePackReader r) => new Report(ReadNode(ref r), ReadId(ref r), r.ReadInt64(), r.ReadInt64())),
        new PlainCodec<Dismiss>(37, Write, (ref MessagePackReader r) => new Dismiss(ReadNode(ref r), ReadStatus(ref r))),
        new PlainCodec<Announce>(38, Write,
            (ref MessagePackReader r) => new Announce(ReadId(ref r), ReadNode(ref r), r.ReadBoolean(), r.ReadBoolean())),
    ];

    private static InitJoin ReadInitJoin(ref MessagePackReader reader) =>
        reader.TryReadNil() ? InitJoin.Instance : throw new MessagePackSerializationException("An InitJoin holds nothing.");

    private static void Write(ref MessagePackWriter writer, InitJoinAck message)
    {
        Write(ref writer, message.Id);
        Write(ref writer, message.Authority);
    }

    private static void Write(ref MessagePackWriter writer, Join message)
    {
        Write(ref writer, message.Node);
        WriteRoles(ref writer, message.Roles);
        WriteMany(ref writer, message.Seeds, Write);
    }

    private static void Write(ref MessagePackWriter writer, Report message)
    {
        Write(ref writer, message.Node);
        Write(ref writer, message.Id);
        writer.Write(message.Term);
        writer.Write(message.Version);
    }

    private static void Write(ref MessagePackWriter writer, Dismiss message)
    {
        Write(ref writer, message.Node);
        writer.Write((int)message.As);
    }

    private static void Write(ref MessagePackWriter writer, Announce message)
    {
        Write(ref writer, message.Id);
        Write(ref writer, message.Authority);
        writer.Write(message.HasKeeper);
        writer.Write(message.IsAnswer);
    }

    private static void Write(ref MessagePackWriter writer, View view)
    {
        Write(ref writer, view.Id);
        writer.Write(view.Term);
        writer.Write(view.Version);
        Write(ref writer, view.Authority);
        writer.Write(view.LastUpNumber);
        WriteMany(ref writer, view.Members, Write);
        WriteMany(ref writer, [.. view.Unreachable.Order()], Write);
        WriteMany(ref writer, view.Departed, Write);
        WriteMany(ref writer, view.Seeds, Write);
    }

    private static View ReadView(ref MessagePackReader reader) => new()
    {
        Id = ReadId(ref reader),
        Term = reader.ReadInt64(),
        Version = reader.ReadInt64(),
        Authority = ReadNode(ref reader),
        LastUpNumber = reader.ReadInt32(),
        Members = ReadMany(ref reader, ReadMember),
        Unreachable = [.. ReadMany(ref reader, ReadNode)],
        Departed = ReadMany(ref reader, (ref MessagePackReader r) => new Departed(ReadNode(ref r), ReadStatus(ref r))),
        Seeds = ReadMany(ref reader, ReadAddress),
    };

    private static void Write(ref MessagePackWriter writer, Member member)
    {
        Write(ref writer, member.UniqueAddress);
        writer.Write(member.UpNumber);
        writer.Write((int)member.Status);
        WriteRoles(ref writer, member.Roles);
    }

    private static Member ReadMember(ref MessagePackReader reader) =>
        new(ReadNode(ref reader), reader.ReadInt32(), ReadStatus(ref reader), ReadRoles(ref reader));

    private static void Write(ref MessagePackWriter writer, Departed departed)
    {
        Write(ref writer, departed.Node);
        writer.Write((int)departed.As);
    }

    private static void Write(ref MessagePackWriter writer, ClusterId id)
    {
        writer.Write(id.FoundedAt);
        Write(ref writer, id.Founder);
    }

    private static ClusterId ReadId(ref MessagePackReader reader) => new(reader.ReadInt64(), ReadNode(ref reader));

    private static void Write(ref MessagePackWriter writer, UniqueAddress node)
    {
        Write(ref writer, node.Address);
        writer.Write(node.Uid);
    }

    private static UniqueAddress ReadNode(ref MessagePackReader reader) => new(ReadAddress(ref reader), reader.ReadInt32());

    private static void Write(ref MessagePackWriter writer, Address address) => writer.Write(address.ToString());

    private static Address ReadAddress(ref MessagePackReader reader) =>
        Address.TryParse(reader.ReadString(), out var address) && address.HasGlobalScope
            ? address
            : throw new MessagePackSerializationException("A node's address with host and port is expected.");

    private static MemberStatus ReadStatus(ref MessagePackReader reader) =>
        reader.ReadInt32() is var status and >= 0 and <= (int)MemberStatus.Removed
        ? (MemberStatus)status
        : throw new MessagePackSerializationException("That is no status of a member.");

    private static void WriteRoles(ref MessagePackWriter writer, ImmutableHashSet<string> roles) =>
        WriteMany(ref writer, [.. roles.Order(StringComparer.Ordinal)], (ref MessagePackWriter w, string role) => w.Write(role));

    private static ImmutableHashSet<string> ReadRoles(ref MessagePackReader reader) => [.. ReadMany(ref reader, (ref MessagePackReader r) =>
        r.ReadString() ?? throw new MessagePackSerializationException("A role has a name."))];

    private static void WriteMany<T>(ref MessagePackWriter writer, ImmutableArray<T> items, WriteMessage<T> write)
    {
        writer.WriteArrayHeader(items.Length);
        foreach (var item in items) write(ref writer, item);
    }

    private static ImmutableArray<T> ReadMany<T>(ref MessagePackReader reader, ReadMessage<T> read)
    {
        var count = reader.ReadArrayHeader();
        if (count > MostItems) throw new MessagePackSerializationException($"{count} items are too many.");
        var items = ImmutableArray.CreateBuilder<T>();
        for (var i = 0; i < count; i++) items.Add(read(ref reader));
        return items.DrainToImmutable();
    }
}

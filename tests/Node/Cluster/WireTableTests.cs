using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using MessagePack;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Replay;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Node.Tests.Clustering;

public sealed class WireTableTests
{
    private readonly WireTable _table = new(new UnrollPool());

    public static TheoryData<Type> Types => [.. new WireTable(new UnrollPool()).Ids.Keys];

    [Fact]
    public void Every_message_of_the_table_has_a_generator_and_a_number_of_one_byte()
    {
        Assert.Empty(_table.Ids.Keys.Except(WireMessages.Generators.Keys));
        Assert.All(_table.Ids.Values, id => Assert.InRange(id, 1, 255));
        Assert.All(_table.Ids.Keys, type => Assert.True(type.IsSealed));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_message_comes_back(Type type) =>
        Prop.ForAll(WireMessages.Generators[type].ToArbitrary(), message =>
        {
            Assert.True(_table.TryGetId(message, out var id));
            var bytes = Written(id, message);
            WireMessages.AssertSame(message, _table.Read(id, new ReadOnlySequence<byte>(bytes)));
            WireMessages.AssertSame(message, _table.Read(id, Sequences.Of([.. bytes.Chunk(7)])));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(Types))]
    public void What_is_cut_short_or_too_long_is_refused(Type type) =>
        Prop.ForAll(WireMessages.Generators[type].ToArbitrary(), message =>
        {
            var id = _table.Ids[type];
            var bytes = Written(id, message);
            for (var length = 0; length < bytes.Length; length += 1 + length / 20)
            {
                var part = new ReadOnlySequence<byte>(bytes, 0, length);
                Assert.ThrowsAny<Exception>(() => _table.Read(id, part));
                Assert.True(IsRefused(id, bytes[..length]));
            }
            Assert.Throws<MessagePackSerializationException>(() => _table.Read(id, new ReadOnlySequence<byte>([.. bytes, 0xc0])));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(10));

    [Theory]
    [MemberData(nameof(Types))]
    public void Damage_is_refused_or_gives_another_message_and_nothing_else(Type type)
    {
        var damage = WireMessages.Generators[type].Zip(ArbMap.Default.GeneratorFor<int>());
        Prop.ForAll(damage.ToArbitrary(), pair =>
        {
            var (message, seed) = pair;
            var id = _table.Ids[type];
            var (bytes, random) = (Written(id, message), new Random(seed));
            for (var i = 0; i < 20; i++)
            {
                bytes = Damaged(bytes, random);
                IsRefused(id, bytes);
                IsRefused(1 + random.Next(_table.Ids.Count), bytes);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(int.MaxValue)]
    public void An_unknown_number_is_named_with_the_version(int id)
    {
        var refusal = Assert.Throws<MessagePackSerializationException>(() => _table.Read(id, new ReadOnlySequence<byte>([0xc0])));
        Assert.Equal($"Wire version {WireTable.Version} has no message {id}.", refusal.Message);
    }

    [Fact]
    public void What_is_not_in_the_table_does_not_leave()
    {
        Assert.False(_table.TryGetId("text", out _));
        Assert.False(_table.TryGetId(new ParameterServer.AwaitParameters(), out _));
    }

    /// <summary>Whether it is refused, by one of the three exceptions; any other fails the test.</summary>
    private bool IsRefused(int id, byte[] bytes)
    {
        try
        {
            _table.Read(id, new ReadOnlySequence<byte>(bytes));
            return false;
        }
        catch (Exception reason) when (reason is MessagePackSerializationException or EndOfStreamException or OverflowException)
        {
            return true;
        }
    }

    private byte[] Written(int id, object message)
    {
        var output = new ArrayBufferWriter<byte>();
        _table.Write(id, message, output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Damaged(byte[] bytes, Random random)
    {
        // The headers are at the beginning, and most worth damaging.
        var at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Length, 40) : bytes.Length);
        var value = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)0xff, _ => (byte)(0xc0 + random.Next(32)) };
        return random.Next(8) switch
        {
            0 => [.. bytes[..at], value, .. bytes[at..]],
            1 when bytes.Length > 1 => [.. bytes[..at], .. bytes[(at + 1)..]],
            2 => [.. bytes[..at], .. bytes[at..], .. bytes[..at]],
            3 => [.. bytes[..at], 0xdd, 0x7f, 0xff, 0xff, 0xff, .. bytes[at..]],
            4 => [.. bytes[..at], 0xc6, 0xff, 0xff, 0xff, 0xff, .. bytes[at..]],
            _ => [.. bytes[..at], value, .. bytes[Math.Min(at + 1, bytes.Length)..]],
        };
    }
}

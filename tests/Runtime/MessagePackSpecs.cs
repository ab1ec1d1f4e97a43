using System.Buffers;
using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using MessagePack;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Runtime.Tests;

public sealed class MessagePackSpecs
{
    private delegate T Reading<out T>(ref MessagePackReader reader);

    [Fact]
    public void Every_value_comes_back_wherever_the_bytes_are_cut() =>
        Prop.ForAll(MessagePackValues.Arbitrary, value =>
        {
            var bytes = MessagePackValues.Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, value));
            Assert.Equivalent(value, Read(bytes, (ref MessagePackReader reader) => MessagePackValues.Read(ref reader)), strict: true);
            foreach (var cut in Sequences.Cuts(bytes))
            {
                var reader = new MessagePackReader(cut);
                var read = MessagePackValues.Read(ref reader);
                Assert.True(reader.End);
                Assert.Equal(bytes.Length, reader.Consumed);
                Assert.Equal(bytes, MessagePackValues.Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, read)));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_number_comes_back_to_the_bit()
    {
        Prop.ForAll<uint, ulong>((single, @double) =>
        {
            Assert.Equal(single,
                BitConverter.SingleToUInt32Bits(Read(Floats(single, @double), (ref MessagePackReader reader) => reader.ReadSingle())));
            Assert.Equal(@double, Read(Floats(single, @double), (ref MessagePackReader reader) =>
            {
                reader.Skip();
                return BitConverter.DoubleToUInt64Bits(reader.ReadDouble());
            }));
        }).QuickCheckThrowOnFailure();

        static byte[] Floats(uint single, ulong @double) => MessagePackValues.Bytes((ref MessagePackWriter writer) =>
        {
            writer.Write(BitConverter.UInt32BitsToSingle(single));
            writer.Write(BitConverter.UInt64BitsToDouble(@double));
        });
    }

    [Fact]
    public void An_integer_takes_its_shortest_form_and_any_form_is_read_by_whatever_holds_its_value()
    {
        foreach (var value in MessagePackValues.IntegerEdges)
        {
            var forms = Forms(value).ToList();
            var written = MessagePackValues.Bytes((ref MessagePackWriter writer) =>
            {
                if (value < 0) writer.Write((long)value);
                else writer.Write((ulong)value);
            });
            Assert.Equal(forms.Min(form => form.Length), written.Length);
            Assert.Contains(forms, form => form.SequenceEqual(written));
            foreach (var form in forms)
            {
                Holds(form, value, byte.MinValue, byte.MaxValue, (ref MessagePackReader reader) => reader.ReadByte());
                Holds(form, value, short.MinValue, short.MaxValue, (ref MessagePackReader reader) => reader.ReadInt16());
                Holds(form, value, int.MinValue, int.MaxValue, (ref MessagePackReader reader) => reader.ReadInt32());
                Holds(form, value, uint.MinValue, uint.MaxValue, (ref MessagePackReader reader) => reader.ReadUInt32());
                Holds(form, value, long.MinValue, long.MaxValue, (ref MessagePackReader reader) => reader.ReadInt64());
                Holds(form, value, ulong.MinValue, ulong.MaxValue, (ref MessagePackReader reader) => reader.ReadUInt64());
                Assert.Equal((float)value, Read(form, (ref MessagePackReader reader) => reader.ReadSingle()));
                Assert.Equal((double)value, Read(form, (ref MessagePackReader reader) => reader.ReadDouble()));
            }
        }

        static void Holds(byte[] form, Int128 value, Int128 least, Int128 most, Reading<Int128> read)
        {
            if (value >= least && value <= most) Assert.Equal(value, Read(form, read));
            else Assert.Throws<OverflowException>(() => Read(form, read));
        }
    }

    [Fact]
    public void Another_type_is_a_serialization_exception()
    {
        var text = MessagePackValues.Bytes((ref MessagePackWriter writer) => writer.Write("text"));
        var number = MessagePackValues.Bytes((ref MessagePackWriter writer) => writer.Write(1.5));
        Refused(number, (ref MessagePackReader reader) => reader.ReadInt32());
        Refused(number, (ref MessagePackReader reader) => reader.ReadUInt64());
        Refused(number, (ref MessagePackReader reader) => reader.ReadBoolean());
        Refused(number, (ref MessagePackReader reader) => reader.ReadString());
        Refused(number, (ref MessagePackReader reader) => reader.ReadBytes());
        Refused(text, (ref MessagePackReader reader) => reader.ReadSingle());
        Refused(text, (ref MessagePackReader reader) => reader.ReadDouble());
        Refused(text, (ref MessagePackReader reader) => reader.ReadArrayHeader());
        Refused(text, (ref MessagePackReader reader) => reader.ReadMapHeader());
        Refused([0xc1], (ref MessagePackReader reader) => MessagePackValues.Read(ref reader));

        static void Refused<T>(byte[] bytes, Reading<T> read) =>
            Assert.Throws<MessagePackSerializationException>(() => { Read(bytes, read); });
    }

    [Fact]
    public void A_value_that_is_cut_short_is_the_end_of_the_stream() =>
        Prop.ForAll(MessagePackValues.Arbitrary, value =>
        {
            var bytes = MessagePackValues.Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, value));
            for (var length = 0; length < bytes.Length; length++)
            {
                var part = bytes[..length];
                Assert.Throws<EndOfStreamException>(() =>
                    { Read(part, (ref MessagePackReader reader) => MessagePackValues.Read(ref reader)); });
                Assert.Throws<EndOfStreamException>(() => { Read(part, Skipped); });
            }
            Assert.Equal(bytes.Length, Read(bytes, Skipped));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("dd7fffffff", 5)]
    [InlineData("ddffffffff", 5)]
    [InlineData("dc0004010101", 3)]
    [InlineData("94010101", 1)]
    [InlineData("df7fffffff", 5)]
    [InlineData("dfffffffff", 5)]
    [InlineData("82010101", 1)]
    public void A_count_that_the_remaining_bytes_cannot_hold_is_the_end_of_the_stream(string hex, int header)
    {
        var bytes = Convert.FromHexString(hex);
        var isMap = bytes[0] is 0xdf or 0x82;
        Assert.Throws<EndOfStreamException>(() => { Read(bytes, Count); });
        if (bytes.Length > header) Assert.True(Read([.. bytes, 1], Count) > 0);

        int Count(ref MessagePackReader reader) => isMap ? reader.ReadMapHeader() : reader.ReadArrayHeader();
    }

    [Fact]
    public void Any_bytes_at_all_throw_nothing_else() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            foreach (var read in new Reading<object>[] { MessagePackValues.Read, Skipped, Integer, Number, Text, Binary })
                foreach (var cut in Sequences.Cuts(bytes))
                    try
                    {
                        var reader = new MessagePackReader(cut);
                        while (!reader.End) read(ref reader);
                    }
                    catch (Exception reason) when (reason is MessagePackSerializationException or EndOfStreamException or OverflowException)
                    {
                    }

            static object Integer(ref MessagePackReader reader) => reader.ReadInt16();
            static object Number(ref MessagePackReader reader) => reader.ReadSingle();
            static object Text(ref MessagePackReader reader) => reader.ReadString();
            static object Binary(ref MessagePackReader reader) => reader.ReadBytes();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Skip_is_not_stopped_by_depth_or_extensions()
    {
        var deep = Enumerable.Repeat((byte)0x91, 1_000_000).Append((byte)0xc0).ToArray();
        Assert.Equal(deep.Length, Read(deep, Skipped));
        foreach (var hex in new[] { "d40107", "d5010707", "d60107070707", "d8" + new string('0', 34), "c702010707", "c800010107",
            "c9000000010107" })
            Assert.Equal(hex.Length / 2, Read(Convert.FromHexString(hex), Skipped));
    }

    private static object Skipped(ref MessagePackReader reader)
    {
        reader.Skip();
        return (int)reader.Consumed;
    }

    private static T Read<T>(byte[] bytes, Reading<T> read)
    {
        var reader = new MessagePackReader(bytes);
        return read(ref reader);
    }

    /// <summary>All encodings that can hold the value.</summary>
    private static IEnumerable<byte[]> Forms(Int128 value)
    {
        if (value >= -32 && value <= 127) yield return [(byte)value];
        var big = new byte[16];
        BinaryPrimitives.WriteInt128BigEndian(big, value);
        for (var (bytes, i) = (1, 0); bytes <= 8; bytes *= 2, i++)
        {
            var half = Int128.One << (8 * bytes - 1);
            if (value >= 0 && value < 2 * half) yield return [(byte)(0xcc + i), .. big[^bytes..]];
            if (value >= -half && value < half) yield return [(byte)(0xd0 + i), .. big[^bytes..]];
        }
    }
}

#nullable disable
using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using MessagePack;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Any value as an object: null, bool, long (ulong above its range), float, double, string, byte[], object[] and
/// KeyValuePair[] for a map.</summary>
internal static class MessagePackValues
{
    public delegate void Writing(ref MessagePackWriter writer);

    /// <summary>Zero, and what lies about every power of two, of both signs.</summary>
    public static IEnumerable<Int128> IntegerEdges => Enumerable.Range(0, 65)
        .SelectMany(power => new[] { -1, 0, 1 }.Select(offset => (Int128.One << power) + offset))
        .SelectMany(value => new[] { value, -value })
        .Where(value => value >= long.MinValue && value <= ulong.MaxValue).Distinct();

    public static Arbitrary<object> Arbitrary => Gen.Sized(size => Any(Math.Min(size, 20))).ToArbitrary();

    public static byte[] Bytes(Writing write)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        write(ref writer);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    public static void Write(ref MessagePackWriter writer, object value)
    {
        switch (value)
        {
            case null: writer.WriteNil(); break;
            case bool flag: writer.Write(flag); break;
            case long number: writer.Write(number); break;
            case ulong number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case double number: writer.Write(number); break;
            case string text: writer.Write(text); break;
            case byte[] bytes: writer.Write(bytes); break;
            case object[] items:
                writer.WriteArrayHeader(items.Length);
                foreach (var item in items) Write(ref writer, item);
                break;
            case KeyValuePair<object, object>[] pairs:
                writer.WriteMapHeader(pairs.Length);
                foreach (var (key, item) in pairs)
                {
                    Write(ref writer, key);
                    Write(ref writer, item);
                }
                break;
            default: throw new ArgumentException(value.GetType().Name);
        }
    }

    public static object Read(ref MessagePackReader reader)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil: return reader.TryReadNil() ? null : throw new InvalidOperationException();
            case MessagePackType.Boolean: return reader.ReadBoolean();
            case MessagePackType.Integer: return reader.NextCode == 0xcf ? (object)reader.ReadUInt64() : reader.ReadInt64();
            case MessagePackType.Float: return reader.NextCode == 0xca ? (object)reader.ReadSingle() : reader.ReadDouble();
            case MessagePackType.String: return reader.ReadString();
            case MessagePackType.Binary: return reader.ReadBytes()!.Value.ToArray();
            case MessagePackType.Array:
                var items = new object[reader.ReadArrayHeader()];
                for (var i = 0; i < items.Length; i++) items[i] = Read(ref reader);
                return items;
            case MessagePackType.Map:
                var pairs = new KeyValuePair<object, object>[reader.ReadMapHeader()];
                for (var i = 0; i < pairs.Length; i++) pairs[i] = new(Read(ref reader), Read(ref reader));
                return pairs;
            default:
                reader.Skip();
                return "an extension";
        }
    }

    private static Gen<object> Any(int size)
    {
        var map = ArbMap.Default;
        var leaf = Gen.OneOf(
            Gen.Constant<object>(null),
            Boxed<bool>(), Boxed<float>(), Boxed<double>(), Boxed<byte[]>(), Boxed<long>(),
            map.GeneratorFor<string>().Select(text => (object)(text is null ? null : Valid(text))),
            Gen.Elements(IntegerEdges.Select(value => value > long.MaxValue ? (object)(ulong)value : (long)value).ToArray()),
            Gen.Choose(0, 300).Select(length => (object)new string('é', length)),
            Gen.Choose(0, 300).Select(length => (object)new byte[length]));
        if (size < 2) return leaf;
        var inner = Any(size / 4);
        return Gen.OneOf(
            leaf,
            inner.ArrayOf().Resize(size / 2).Select(items => (object)items),
            inner.Zip(inner, (key, value) => new KeyValuePair<object, object>(key, value)).ArrayOf().Resize(size / 2)
                .Select(pairs => (object)pairs));

        Gen<object> Boxed<T>() => map.GeneratorFor<T>().Select(value => (object)value);

        static string Valid(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
    }
}

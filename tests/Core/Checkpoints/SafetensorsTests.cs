using System.Buffers.Binary;
using System.Text;
using Rl.Distributed.Core.Checkpoints;

namespace Rl.Distributed.Core.Tests.Checkpoints;

public sealed class SafetensorsTests
{
    private static readonly Checkpoint Sample = new()
    {
        Metadata = new Dictionary<string, string> { ["zeta"] = "last", ["alpha"] = "quotes \" and lines\nand ünïcode", ["config"] = "a: {b: 1}" },
        Tensors =
        [
            new NamedTensor("parameters", [2, 3], [1.5f, -2f, 0f, float.MaxValue, float.Epsilon, float.NaN]),
            new NamedTensor("counter", [], [ulong.MaxValue]),
            new NamedTensor("ledger", [2, 1], [long.MinValue, 7L]),
            new NamedTensor("nothing", [0, 4], Array.Empty<float>()),
        ],
    };

    [Fact]
    public void What_is_written_is_read_back()
    {
        var read = Safetensors.Read(new MemoryStream(Written()));
        Assert.Equal(Sample.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal), read.Metadata);
        Assert.Equal(Sample.Tensors.Select(t => t.Name), read.Tensors.Select(t => t.Name).Where(name => name != "nothing").Append("nothing"));
        Assert.Equal([2, 3], read.Tensor("parameters").Shape);
        Assert.Equal(Bits(Sample.Tensor("parameters")), Bits(read.Tensor("parameters")));
        Assert.Equal([ulong.MaxValue], read.Tensor("counter").UInt64s);
        Assert.Equal([long.MinValue, 7L], read.Tensor("ledger").Int64s);
        Assert.Empty(read.Tensor("nothing").Floats);
    }

    [Fact]
    public void A_stream_that_cannot_seek_is_read_too()
    {
        using var stream = new System.IO.Compression.GZipStream(new MemoryStream(Zipped(Written())), System.IO.Compression.CompressionMode.Decompress);
        Assert.Equal(4, Safetensors.Read(stream).Tensors.Count);
    }

    [Fact]
    public void The_same_checkpoint_gives_the_same_bytes() => Assert.Equal(Written(), Written());

    [Fact]
    public void The_layout_is_that_of_the_format()
    {
        var bytes = Written();
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, headerLength % 8);
        var header = Encoding.UTF8.GetString(bytes, 8, headerLength);
        Assert.StartsWith("{\"__metadata__\":{", header);
        Assert.Contains("\"parameters\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}", header);
        Assert.Contains("\"counter\":{\"dtype\":\"U64\",\"shape\":[],\"data_offsets\":[24,32]}", header);
        Assert.Equal(1.5f, BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(8 + headerLength)));
        Assert.Equal(8 + headerLength + 24 + 8 + 16, bytes.Length);
    }

    [Fact]
    public void A_file_cut_short_anywhere_is_refused()
    {
        var bytes = Written();
        for (var length = 0; length < bytes.Length; length++)
        {
            var torn = bytes[..length];
            Assert.Throws<CheckpointFormatException>(() => Safetensors.Read(new MemoryStream(torn)));
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        var bytes = Written();
        for (var at = 0; at < bytes.Length; at++)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[at] ^= (byte)(1 << (at % 8));
            Assert.Throws<CheckpointFormatException>(() => Safetensors.Read(new MemoryStream(flipped)));
        }
    }

    [Theory]
    [InlineData("{", "its header is no safetensors header")]
    [InlineData("[]", "its header is no safetensors header")]
    [InlineData("{}", "of another program (no format in its metadata)")]
    [InlineData("{\"__metadata__\":{\"format\":\"pt\"}}", "format 'pt', not 'rl.distributed.checkpoint'")]
    [InlineData("{\"__metadata__\":{\"format\":\"rl.distributed.checkpoint\",\"formatVersion\":\"2\"}}", "format version 2, and this program reads up to 1")]
    [InlineData("{\"__metadata__\":{\"format\":\"rl.distributed.checkpoint\",\"formatVersion\":\"x\"}}", "its format version 'x' is no version")]
    [InlineData("{\"__metadata__\":{\"format\":\"rl.distributed.checkpoint\",\"formatVersion\":\"1\"}}", "it has no checksum")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", "has the type F64")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "do not fit F32[3]")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "a negative size")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647],\"data_offsets\":[0,8]}}", "more than")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "tensors overlap or leave a gap")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "tensors overlap or leave a gap")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "it is cut short: 8 of 16 bytes")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "4 bytes follow its data")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", "has 1 offsets, not 2")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "its header is no safetensors header")]
    [InlineData("OWN,\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "its checksum 'x' is none of ours")]
    public void A_foreign_or_inconsistent_file_is_refused_with_the_reason(string header, string reason)
    {
        const string Own = "{\"__metadata__\":{\"format\":\"rl.distributed.checkpoint\",\"formatVersion\":\"1\",\"checksum\":\"x\"}";
        var json = Encoding.UTF8.GetBytes(header.Replace("OWN", Own, StringComparison.Ordinal));
        var file = new byte[8 + json.Length + 8];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)json.Length);
        json.CopyTo(file, 8);
        var message = Assert.Throws<CheckpointFormatException>(() => Safetensors.Read(new MemoryStream(file))).Message;
        Assert.StartsWith("Not a usable checkpoint: ", message);
        Assert.Contains(reason, message);
    }

    [Fact]
    public void A_huge_header_is_refused_before_memory_is_taken()
    {
        var file = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(file, ulong.MaxValue);
        Assert.Contains("it claims a header of", Assert.Throws<CheckpointFormatException>(() => Safetensors.Read(new MemoryStream(file))).Message);
    }

    [Fact]
    public void Numbers_of_one_type_are_not_taken_for_another()
    {
        var read = Safetensors.Read(new MemoryStream(Written()));
        Assert.Contains("holds UInt64, not int64", Assert.Throws<CheckpointFormatException>(() => read.Tensor("counter").Int64s).Message);
        Assert.Contains("holds Int64, not uint64", Assert.Throws<CheckpointFormatException>(() => read.Tensor("ledger").UInt64s).Message);
    }

    [Fact]
    public void A_missing_tensor_names_the_nearest_one() =>
        Assert.Contains("It has 'parameters'", Assert.Throws<CheckpointFormatException>(() => Sample.Tensor("paramters")).Message);

    [Fact]
    public void Names_and_keys_must_be_free()
    {
        var twice = new Checkpoint { Tensors = [new NamedTensor("a", [1], [1f]), new NamedTensor("a", [1], [2f])] };
        Assert.Throws<ArgumentException>(() => Safetensors.Write(Stream.Null, twice));
        var reserved = new Checkpoint { Metadata = new Dictionary<string, string> { ["checksum"] = "1" } };
        Assert.Throws<ArgumentException>(() => Safetensors.Write(Stream.Null, reserved));
        Assert.Throws<ArgumentException>(() => new NamedTensor("__metadata__", [1], [1f]));
        Assert.Throws<ArgumentException>(() => new NamedTensor("a", [2], [1f]));
    }

    internal static byte[] Written()
    {
        using var stream = new MemoryStream();
        Safetensors.Write(stream, Sample);
        return stream.ToArray();
    }

    private static int[] Bits(NamedTensor tensor) => [.. tensor.Floats.Select(BitConverter.SingleToInt32Bits)];

    private static byte[] Zipped(byte[] bytes)
    {
        using var target = new MemoryStream();
        using (var zip = new System.IO.Compression.GZipStream(target, System.IO.Compression.CompressionLevel.Fastest)) zip.Write(bytes);
        return target.ToArray();
    }
}

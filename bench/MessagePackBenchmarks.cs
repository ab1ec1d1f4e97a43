using System.Buffers;
using BenchmarkDotNet.Attributes;
using MessagePack;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Bench;

/// <summary>Messages to MessagePack and back: an unroll of T = 20 steps of B = 32 environments, and a small message.</summary>
/// <remarks>A reference writer takes large buffers as they are; what remains is what the codec itself costs.</remarks>
[MemoryDiagnoser]
[Config(typeof(ShortInProcess))]
public class MessagePackBenchmarks
{
    private const int Small = 1000;

    private readonly UnrollPool _pool = new();
    private readonly References _references = new();
    private readonly ArrayBufferWriter<byte> _output = new(1 << 24);
    private Unroll _unroll = null!;
    private byte[] _bytes = [], _returned = [], _copy = [];

    /// <summary>Bytes of one observation: MinAtar's planes as bits, Atari's frame.</summary>
    [Params(125, 7056)]
    public int ObservationBytes { get; set; } = 125;

    [GlobalSetup]
    public void Prepare()
    {
        _unroll = new Unroll(new UnrollShape(20, 32, new ObservationSpec(ElementType.UInt8, ObservationBytes), 6));
        _output.ResetWrittenCount();
        Encode();
        _bytes = _output.WrittenSpan.ToArray();
        _copy = new byte[_bytes.Length];
        SmallEncode();
        _returned = _output.WrittenSpan.ToArray();
        Console.WriteLine($"// {_bytes.Length} bytes an unroll");
    }

    /// <summary>What the copy of as many bytes costs.</summary>
    [Benchmark(Baseline = true)]
    public void Copy() => _bytes.CopyTo(_copy.AsSpan());

    /// <summary>All bytes copied into one buffer.</summary>
    [Benchmark]
    public void Encode()
    {
        _output.ResetWrittenCount();
        var writer = new MessagePackWriter(_output);
        UnrollCodec.Write(ref writer, _unroll);
        writer.Flush();
    }

    /// <summary>Large buffers taken as they are.</summary>
    [Benchmark]
    public void EncodeByReference()
    {
        _references.Used = 0;
        var writer = new MessagePackWriter(_references);
        UnrollCodec.Write(ref writer, _unroll);
        writer.Flush();
    }

    /// <summary>Into an unroll of the pool.</summary>
    [Benchmark]
    public void Decode()
    {
        var reader = new MessagePackReader(_bytes);
        _pool.Return(UnrollCodec.Read(ref reader, _pool));
    }

    [Benchmark(OperationsPerInvoke = Small)]
    public void SmallEncode()
    {
        _output.ResetWrittenCount();
        var writer = new MessagePackWriter(_output);
        var message = new CreditReturned(new UnrollId(3, 1, 100_000), UnrollOutcome.Consumed);
        for (var i = 0; i < Small; i++) ReplayCodecs.Write(ref writer, message);
        writer.Flush();
    }

    [Benchmark(OperationsPerInvoke = Small)]
    public void SmallDecode()
    {
        var reader = new MessagePackReader(_returned);
        for (var i = 0; i < Small; i++) ReplayCodecs.ReadCreditReturned(ref reader);
    }

    /// <summary>A transport that sends from the source arrays, without the sending.</summary>
    private sealed class References : IReferenceWriter
    {
        private readonly byte[] _small = new byte[1 << 20];

        public int Used { get; set; }

        public void Advance(int count) => Used += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _small.AsMemory(Used);

        public Span<byte> GetSpan(int sizeHint = 0) => _small.AsSpan(Used);

        public void Append(ReadOnlyMemory<byte> memory)
        {
        }
    }
}

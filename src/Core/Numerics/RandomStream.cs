namespace Rl.Distributed.Core.Numerics;

/// <summary>What a random stream is for. Streams of different roles never overlap. The numbers are part of the
/// checkpoint format: append, never renumber.</summary>
public enum StreamRole : byte
{
    Initialization = 0,
    Environment = 1,
    Policy = 2,
    EvaluationEnvironment = 3,
    EvaluationPolicy = 4,
    Scheduler = 5,
    Replay = 6,
}

/// <summary>A counter-based stream of random numbers: Philox4x32-10.</summary>
/// <remarks>
/// Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". The key is the run's seed; of the 128-bit
/// counter the low 64 bits count blocks of four words and the high 64 bits name the stream: role (8 bits),
/// incarnation (24 bits), index (32 bits). So streams are disjoint by construction, a restarted worker (next
/// incarnation) does not replay its first episodes, and a position is two numbers. A mutable struct: pass by ref.
/// </remarks>
public struct RandomStream
{
    private readonly uint _key0, _key1, _index, _roleAndIncarnation;
    private ulong _block;
    private uint _w0, _w1, _w2, _w3;
    private int _left;

    private RandomStream(ulong seed, uint index, uint roleAndIncarnation)
    {
        (_key0, _key1) = ((uint)seed, (uint)(seed >> 32));
        (_index, _roleAndIncarnation) = (index, roleAndIncarnation);
    }

    /// <summary>The stream of one part of a run.</summary>
    /// <param name="runSeed">The run's seed.</param>
    /// <param name="role">What the stream is for.</param>
    /// <param name="index">Which worker (or environment) of that role.</param>
    /// <param name="incarnation">How often that worker was restarted, below 2^24.</param>
    public static RandomStream Create(ulong runSeed, StreamRole role, uint index = 0, uint incarnation = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(incarnation, 1u << 24);
        return new RandomStream(runSeed, index, ((uint)role << 24) | incarnation);
    }

    /// <summary>How many 32-bit words were drawn.</summary>
    public readonly ulong Position => _block * 4 - (ulong)_left;

    /// <summary>Moves to a position that <see cref="Position"/> gave, on a stream made with the same arguments.</summary>
    public void Seek(ulong position)
    {
        _block = position / 4;
        _left = 0;
        for (var skip = (int)(position % 4); skip > 0; skip--) NextUInt32();
    }

    public uint NextUInt32()
    {
        if (_left == 0)
        {
            Philox((uint)_block, (uint)(_block >> 32), _index, _roleAndIncarnation, _key0, _key1, out _w0, out _w1, out _w2, out _w3);
            _block++;
            _left = 4;
        }
        var word = _w0;
        (_w0, _w1, _w2) = (_w1, _w2, _w3);
        _left--;
        return word;
    }

    public ulong NextUInt64() => NextUInt32() | ((ulong)NextUInt32() << 32);

    /// <summary>Uniform in [0, 1), a multiple of 2^-24. One word.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * (1f / (1 << 24));

    /// <summary>Fills x with the numbers that as many calls of <see cref="NextSingle"/> would give; long spans several
    /// blocks at once.</summary>
    public unsafe void FillSingle(Span<float> x)
    {
        var i = 0;
        for (; i < x.Length && _left > 0; i++) x[i] = NextSingle();
        if (PhiloxVector.Blocks is var blocks and > 0)
        {
            fixed (float* to = x)
            {
                for (; i <= x.Length - 4 * blocks; i += 4 * blocks, _block += (ulong)blocks)
                {
                    PhiloxVector.Uniforms(_block, _index, _roleAndIncarnation, _key0, _key1, to + i);
                }
            }
        }
        for (; i < x.Length; i++) x[i] = NextSingle();
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-53. Two words.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in 0 … exclusiveMax - 1, without bias (Lemire 2019).</summary>
    public int NextInt32(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        var range = (uint)exclusiveMax;
        var product = (ulong)NextUInt32() * range;
        if ((uint)product < range)
        {
            var threshold = (0u - range) % range;
            while ((uint)product < threshold) product = (ulong)NextUInt32() * range;
        }
        return (int)(product >> 32);
    }

    /// <summary>Standard normal (Box and Muller), for initialisation; not bit-identical across machines.</summary>
    public float NextGaussian()
    {
        var radius = Math.Sqrt(-2.0 * Math.Log(1.0 - NextDouble()));
        return (float)(radius * Math.Cos(2.0 * Math.PI * NextDouble()));
    }

    /// <summary>One Philox4x32-10 block: counter and key in, four words out.</summary>
    public static void Philox(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, out uint r0, out uint r1, out uint r2, out uint r3)
    {
        for (var round = 0; round < 10; round++)
        {
            var p0 = 0xD2511F53UL * c0;
            var p1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        (r0, r1, r2, r3) = (c0, c1, c2, c3);
    }
}

using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>Where a game takes its luck from: a random stream in play, a log when a trace is replayed.</summary>
public interface IDraws
{
    /// <summary>Uniform in [0, 1).</summary>
    double Double();

    /// <summary>Uniform in 0 … <paramref name="count"/> - 1.</summary>
    int Integer(int count);
}

/// <summary>Draws from a random stream. A mutable struct: pass by ref.</summary>
public struct RandomDraws(RandomStream stream) : IDraws
{
    private RandomStream _stream = stream;

    public double Double() => _stream.NextDouble();

    public int Integer(int count) => _stream.NextInt32(count);
}

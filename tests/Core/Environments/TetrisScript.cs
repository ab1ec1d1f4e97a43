using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Tetris;

namespace Rl.Distributed.Core.Tests.Environments;

/// <summary>Pieces that are written down beforehand.</summary>
internal struct TetrisScript(params TetrisPiece[] pieces) : IDraws
{
    private int _next;

    public readonly double Double() => throw new NotSupportedException();

    public int Integer(int count)
    {
        Assert.Equal(7, count);
        return (int)pieces[_next++];
    }
}

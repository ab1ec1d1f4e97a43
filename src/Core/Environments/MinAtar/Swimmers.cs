using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>Something of Seaquest's that crosses the sea in a row; a direction of 1 is to the right, -1 to the left.</summary>
internal struct Swimmer
{
    public sbyte X, Y, Direction, MoveTimer, ShotTimer;

    public readonly bool IsOnBoard => (uint)X < Board.Size;

    public readonly bool IsAt(int x, int y) => X == x && Y == y;
}

/// <summary>An ordered list of at most <see cref="Capacity"/> swimmers, without memory of its own. A mutable struct: pass by ref.</summary>
internal struct Swimmers
{
    public const int Capacity = 40;

    private Items _items;

    public int Count { get; private set; }

    [UnscopedRef]
    public ref Swimmer this[int index] => ref _items[index];

    [UnscopedRef]
    public readonly ReadOnlySpan<Swimmer> All => ((ReadOnlySpan<Swimmer>)_items)[..Count];

    public void Clear() => Count = 0;

    public void Add(Swimmer swimmer) => _items[Count++] = swimmer;

    public void RemoveAt(int index)
    {
        Span<Swimmer> items = _items;
        items[(index + 1)..Count].CopyTo(items[index..]);
        Count--;
    }

    /// <summary>Removes the first that is in this cell; false where none is.</summary>
    public bool RemoveFirstAt(int x, int y)
    {
        for (var i = 0; i < Count; i++)
        {
            if (!_items[i].IsAt(x, y)) continue;
            RemoveAt(i);
            return true;
        }
        return false;
    }

    /// <summary>Whether one in this row swims the other way.</summary>
    public readonly bool AnyAgainst(int y, int direction)
    {
        foreach (ref readonly var swimmer in All)
            if (swimmer.Y == y && swimmer.Direction != direction) return true;
        return false;
    }

    [InlineArray(Capacity)]
    private struct Items
    {
        private Swimmer _first;
    }
}

using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium;

/// <summary>How Python leaves an observation in the shared memory.</summary>
internal enum WireFormat
{
    /// <summary>Single precision, as it is.</summary>
    Float32,

    /// <summary>Bytes, as they are.</summary>
    UInt8,

    /// <summary>One 64-bit number, of which the bit is set.</summary>
    Index,

    /// <summary>A byte for each bit.</summary>
    Bits,

    /// <summary>A grey picture, which is made 84×84.</summary>
    Frame,
}

/// <summary>Turns observations from the shared memory into those of the spec.</summary>
/// <remarks>Not thread-safe; allocates nothing.</remarks>
internal sealed class WireObservations
{
    private readonly GymnasiumFacts _facts;
    private readonly AreaResize? _resize;

    public WireObservations(GymnasiumFacts facts)
    {
        _facts = facts;
        if (facts.Format == WireFormat.Frame)
            _resize = new AreaResize(facts.WireShape[0], facts.WireShape[1], GymnasiumFacts.FrameSize, GymnasiumFacts.FrameSize);
    }

    /// <summary>Converts one observation; false where it holds what is no observation of its space.</summary>
    public bool TryConvert(ReadOnlySpan<byte> wire, Span<byte> observation)
    {
        switch (_facts.Format)
        {
            case WireFormat.Float32:
                wire.CopyTo(observation);
                return FiniteCheck.FirstNotFinite(MemoryMarshal.Cast<byte, float>(observation)) < 0;
            case WireFormat.UInt8:
                wire.CopyTo(observation);
                return true;
            case WireFormat.Frame:
                _resize!.Resize(wire, observation);
                return true;
            case WireFormat.Index:
                observation.Clear();
                var index = MemoryMarshal.Read<long>(wire) - _facts.IndexStart;
                if (index < 0 || index >= _facts.Spec.Observation.ElementCount) return false;
                observation[(int)(index / 8)] = (byte)(1 << (int)(index % 8));
                return true;
            default:
                observation.Clear();
                for (var i = 0; i < wire.Length; i++)
                    if (wire[i] != 0) observation[i / 8] |= (byte)(1 << (i % 8));
                return true;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Environments;

/// <summary>Where an environment writes what it shows: all zero at first, element by element in the order of the shape, last index fastest.</summary>
/// <remarks>Which of the three views there is, the spec's <see cref="ElementType"/> says. An image [height, width, channels] has element
/// (y, x, c) at index (y * width + x) * channels + c.</remarks>
public readonly ref struct ObservationWriter
{
    private readonly ObservationSpec _spec;
    private readonly Span<byte> _row;
    private readonly Span<bool> _flags;

    internal ObservationWriter(ObservationSpec spec, Span<byte> row, Span<bool> flags)
    {
        _spec = spec;
        _row = row;
        _flags = flags;
    }

    /// <summary>The elements of a Float32 observation.</summary>
    /// <exception cref="InvalidOperationException">The spec says otherwise.</exception>
    public Span<float> Floats => _spec.Type == ElementType.Float32 ? MemoryMarshal.Cast<byte, float>(_row) : throw Wrong();

    /// <summary>The elements of a UInt8 observation; the network sees value / 255.</summary>
    /// <exception cref="InvalidOperationException">The spec says otherwise.</exception>
    public Span<byte> Bytes => _spec.Type == ElementType.UInt8 ? _row : throw Wrong();

    /// <summary>The elements of a Bit observation; they are packed afterwards.</summary>
    /// <exception cref="InvalidOperationException">The spec says otherwise.</exception>
    public Span<bool> Flags => _spec.Type == ElementType.Bit ? _flags : throw Wrong();

    private InvalidOperationException Wrong([CallerMemberName] string view = "") => new(
        $"{view} was written, but the spec says that observations are {_spec}: write {_spec.Type switch
        {
            ElementType.Float32 => nameof(Floats),
            ElementType.UInt8 => nameof(Bytes),
            _ => nameof(Flags),
        }}, or say {nameof(ElementType)}.{view switch
        {
            nameof(Floats) => ElementType.Float32,
            nameof(Bytes) => ElementType.UInt8,
            _ => ElementType.Bit,
        }} in the spec.");
}

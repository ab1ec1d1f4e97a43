using System.Buffers;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>A writer that can take over memory instead of copying it: what <c>MessagePackWriter</c> writes to when a transport sends
/// from the source array.</summary>
internal interface IReferenceWriter : IBufferWriter<byte>
{
    /// <summary>Appends the memory itself; it must not change until the message has left.</summary>
    void Append(ReadOnlyMemory<byte> memory);
}

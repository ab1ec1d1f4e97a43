using System.Buffers;
using System.Text;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>A message of the specs' own; its text may be changed after it was told.</summary>
public sealed record Note(string Text)
{
    public string Text { get; set; } = Text;
}

/// <summary>A message that is not in <see cref="NoteWire"/>.</summary>
public sealed record Homebound(string Text);

/// <summary>The wire format of the specs: one message, a <see cref="Note"/>.</summary>
public sealed class NoteWire : EmbeddedEngine.IWireFormat
{
    public int Version { get; init; } = 1;

    public bool TryGetId(object message, out int id)
    {
        id = 1;
        return message is Note;
    }

    public void Write(int id, object message, IBufferWriter<byte> output) => output.Write(Encoding.UTF8.GetBytes(((Note)message).Text));

    public object Read(int id, in ReadOnlySequence<byte> body)
    {
        var text = Encoding.UTF8.GetString(body);
        return text == "unreadable" ? throw new FormatException("It cannot be read.") : new Note(text);
    }
}

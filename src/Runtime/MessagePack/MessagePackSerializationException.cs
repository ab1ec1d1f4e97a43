namespace MessagePack;

/// <summary>Bytes that are not what their reader expects, or a value that cannot be written.</summary>
public class MessagePackSerializationException : Exception
{
    public MessagePackSerializationException()
    {
    }

    public MessagePackSerializationException(string message)
        : base(message)
    {
    }

    public MessagePackSerializationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

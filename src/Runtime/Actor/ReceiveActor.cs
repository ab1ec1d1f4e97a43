namespace Akka.Actor;

/// <summary>An actor whose constructor is the table of what it receives: the first entry that matches handles.</summary>
/// <remarks>Entries are made in the constructor or in the action given to Become, nowhere else. A message without a
/// match is <see cref="ActorBase.Unhandled"/>.</remarks>
public abstract class ReceiveActor : UntypedActor
{
    private readonly Stack<List<Func<object, bool>>> _configuring = new();
    private readonly List<Func<object, bool>> _initial = [];
    private bool _takesAny;

    protected ReceiveActor() => _configuring.Push(_initial);

    /// <summary>The constructor has ended: the table is complete.</summary>
    internal void EndConfiguration() => _configuring.Pop();

    protected sealed override void OnReceive(object message) => Handle(_initial, message);

    /// <summary>Replaces the behaviour by the table that <paramref name="configure"/> makes.</summary>
    protected void Become(Action configure) => Context.Become(Table(configure));

    protected void BecomeStacked(Action configure) => Context.BecomeStacked(Table(configure));

    protected void Receive<T>(Action<T> handler, Predicate<T> shouldHandle = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (shouldHandle is null) Add(typeof(T), message => Is(message, out T typed) && Run(handler, typed));
        else Add(typeof(T), message => Is(message, out T typed) && shouldHandle(typed) && Run(handler, typed), always: false);
    }

    protected void Receive<T>(Predicate<T> shouldHandle, Action<T> handler) => Receive(handler, shouldHandle);

    /// <param name="handler">Returns false for a message that it leaves to later entries.</param>
    protected void Receive<T>(Func<T, bool> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(typeof(T), message => Is(message, out T typed) && handler(typed), always: false);
    }

    protected void Receive(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (shouldHandle is null)
            Add(messageType, message => messageType.IsInstanceOfType(message) && Run(handler, message));
        else
            Add(
                messageType, message => messageType.IsInstanceOfType(message) && shouldHandle(message) && Run(handler, message),
                always: false);
    }

    protected void Receive(Type messageType, Predicate<object> shouldHandle, Action<object> handler) =>
        Receive(messageType, handler, shouldHandle);

    protected void Receive(Type messageType, Func<object, bool> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(messageType, message => messageType.IsInstanceOfType(message) && handler(message), always: false);
    }

    /// <summary>Takes whatever is left; nothing may follow it.</summary>
    protected void ReceiveAny(Action<object> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(typeof(object), message => Run(handler, message));
    }

    private static bool Is<T>(object message, out T typed)
    {
        if (message is T value)
        {
            typed = value;
            return true;
        }
        typed = default;
        return false;
    }

    private static bool Run<T>(Action<T> handler, T message)
    {
        handler(message);
        return true;
    }

    private void Add(Type type, Func<object, bool> entry, bool always = true)
    {
        ArgumentNullException.ThrowIfNull(type, "messageType");
        if (!_configuring.TryPeek(out var table))
            throw new InvalidOperationException("You may only call Receive-methods when constructing the actor and inside Become().");
        if (_takesAny)
            throw new InvalidOperationException("A handler that catches all messages has been added. No handler can be added after that.");
        table.Add(entry);
        _takesAny = always && type == typeof(object);
    }

    private Receive Table(Action configure)
    {
        var table = new List<Func<object, bool>>();
        var outer = _takesAny;
        _takesAny = false;
        _configuring.Push(table);
        try
        {
            configure();
        }
        finally
        {
            _configuring.Pop();
            _takesAny = outer;
        }
        return message =>
        {
            Handle(table, message);
            return true;
        };
    }

    private void Handle(List<Func<object, bool>> table, object message)
    {
        foreach (var entry in table)
        {
            if (entry(message)) return;
        }
        Unhandled(message);
    }
}

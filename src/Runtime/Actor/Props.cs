using System.Linq.Expressions;
using System.Reflection;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Actor;

/// <summary>How an actor is made, the first time and at every restart, with the same arguments. Immutable.</summary>
public class Props : IEquatable<Props>
{
    private readonly ConstructorInfo _constructor;

    private Props(Type type, ConstructorInfo constructor, object[] arguments)
    {
        (Type, _constructor, Arguments) = (type, constructor, arguments);
    }

    protected Props(Props copy)
    {
        (Type, _constructor, Arguments) = (copy.Type, copy._constructor, copy.Arguments);
        (DispatcherId, SupervisorStrategy) = (copy.DispatcherId, copy.SupervisorStrategy);
    }

    public Type Type { get; }

    public string TypeName => Type.AssemblyQualifiedName;

    public object[] Arguments { get; }

    public string Dispatcher => DispatcherId ?? Rl.Distributed.Runtime.Engine.Dispatcher.DefaultId;

    /// <summary>Takes the place of the actor's own strategy; null leaves it.</summary>
    public SupervisorStrategy SupervisorStrategy { get; protected set; }

    private string DispatcherId { get; set; }

    /// <summary>From an expression whose body is <c>new T(arguments)</c>. The arguments are evaluated here, once.</summary>
    /// <exception cref="InvalidCastException">The body is anything else.</exception>
    public static Props Create<TActor>(Expression<Func<TActor>> factory, SupervisorStrategy supervisorStrategy = null)
        where TActor : ActorBase
    {
        ArgumentNullException.ThrowIfNull(factory);
        if (factory.Body is not NewExpression body)
            throw new InvalidCastException(
                $"The body of the expression must be 'new {typeof(TActor).Name}(arguments)' and nothing around it, "
                + $"but it is '{factory.Body}'.");
        var arguments = body.Arguments.Select(Evaluate).ToArray();
        return new Props(typeof(TActor), body.Constructor, arguments) { SupervisorStrategy = supervisorStrategy };
    }

    /// <summary>The constructor that takes these arguments is looked up when the actor is made.</summary>
    public static Props Create<TActor>(params object[] args)
        where TActor : ActorBase => new(typeof(TActor), null, args ?? []);

    public static Props Create<TActor>(SupervisorStrategy supervisorStrategy)
        where TActor : ActorBase, new() => new(typeof(TActor), null, []) { SupervisorStrategy = supervisorStrategy };

    public static Props Create(Type type, params object[] args)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new Props(type, null, args ?? []);
    }

    /// <summary>The same on another dispatcher; ActorOf refuses one that is not configured.</summary>
    public Props WithDispatcher(string dispatcher)
    {
        var copy = Copy();
        copy.DispatcherId = dispatcher;
        return copy;
    }

    public Props WithSupervisorStrategy(SupervisorStrategy supervisorStrategy)
    {
        var copy = Copy();
        copy.SupervisorStrategy = supervisorStrategy;
        return copy;
    }

    protected virtual Props Copy() => new(this);

    /// <summary>One more instance. Only the engine can call it: an actor must be made where its messages are handled.</summary>
    public virtual ActorBase NewActor()
    {
        try
        {
            return (ActorBase)(_constructor is not null
                ? _constructor.Invoke(Arguments)
                : Activator.CreateInstance(
                    Type, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, null, Arguments, null));
        }
        catch (Exception e)
        {
            throw new TypeLoadException(
                $"Error while creating actor instance of type {Type} with {Arguments.Length} args: ({string.Join(",", Arguments)})", e);
        }
    }

    /// <summary>The arguments are not compared: they may not be comparable.</summary>
    public bool Equals(Props other) => other is not null && Type == other.Type && Dispatcher == other.Dispatcher
        && Arguments.Length == other.Arguments.Length;

    public override bool Equals(object obj) => Equals(obj as Props);

    public override int GetHashCode() => HashCode.Combine(Type, Dispatcher);

    private static object Evaluate(Expression argument) => argument is ConstantExpression constant
        ? constant.Value
        : Expression.Lambda<Func<object>>(Expression.Convert(argument, typeof(object))).Compile(preferInterpretation: true)();
}

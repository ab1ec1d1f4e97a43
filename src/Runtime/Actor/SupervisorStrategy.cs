using Akka.Event;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Actor;

/// <summary>What happens to a child that failed.</summary>
public enum Directive
{
    /// <summary>It goes on with its next message, its state as it is.</summary>
    Resume = 0,

    /// <summary>A fresh instance takes its place and goes on with the next message.</summary>
    Restart = 1,

    /// <summary>The supervisor fails itself.</summary>
    Escalate = 2,

    Stop = 3,
}

/// <summary>Chooses the directive for an exception.</summary>
public interface IDecider
{
    Directive Decide(Exception cause);
}

/// <summary>How an actor treats the failures of its children.</summary>
public abstract class SupervisorStrategy
{
    /// <summary>Stop for what failed to start, was killed or broke a death pact; Restart for all else.</summary>
    public static IDecider DefaultDecider = new FunctionDecider(cause => cause
        is ActorInitializationException or ActorKilledException or DeathPactException ? Directive.Stop : Directive.Restart);

    public static readonly SupervisorStrategy DefaultStrategy = new OneForOneStrategy(DefaultDecider);

    public static readonly OneForOneStrategy StoppingStrategy = new(_ => Directive.Stop);

    protected SupervisorStrategy()
    {
    }

    public abstract IDecider Decider { get; }

    /// <summary>Whether failures are published as log events.</summary>
    protected bool LoggingEnabled { get; set; }

    protected abstract Directive Handle(IActorRef child, Exception exception);

    /// <summary>Restarts or stops whom the strategy says.</summary>
    internal abstract void Process(ActorCell supervisor, bool restart, ChildRecord child, Exception cause);

    /// <summary>False to escalate.</summary>
    internal bool HandleFailure(ActorCell supervisor, ChildRecord child, Exception cause)
    {
        var directive = Handle(child.Ref, cause);
        LogFailure(supervisor, child.Ref, cause, directive);
        switch (directive)
        {
            case Directive.Resume:
                child.Ref.SendSystem(new Resume(cause));
                return true;
            case Directive.Restart or Directive.Stop:
                Process(supervisor, directive == Directive.Restart, child, cause);
                return true;
            default:
                return false;
        }
    }

    protected virtual void LogFailure(IActorContext context, IActorRef child, Exception cause, Directive directive)
    {
        if (!LoggingEnabled || directive == Directive.Escalate) return;
        var message = (cause is ActorInitializationException ? cause.InnerException : null)?.Message ?? cause.Message;
        var level = directive == Directive.Resume ? LogLevel.WarningLevel : LogLevel.ErrorLevel;
        ((EmbeddedSystem)context.System).Publish(level, cause, child.Path.ToString(), GetType(), message);
    }

    internal static int Milliseconds(TimeSpan? range) =>
        (int)range.GetValueOrDefault(Timeout.InfiniteTimeSpan).TotalMilliseconds;

    internal sealed class FunctionDecider(Func<Exception, Directive> decide) : IDecider
    {
        public Directive Decide(Exception cause) => decide(cause);
    }
}

/// <summary>Only the child that failed is restarted or stopped.</summary>
/// <remarks>A maximum of -1 is none, of 0 forbids restarts. Without a time range all restarts count; with one, those
/// within it, and with a range but no maximum one restart within it is granted.</remarks>
public class OneForOneStrategy : SupervisorStrategy, IEquatable<OneForOneStrategy>
{
    public OneForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), localOnlyDecider)
    {
    }

    public OneForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, IDecider decider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), decider)
    {
    }

    public OneForOneStrategy(
        int maxNrOfRetries, int withinTimeMilliseconds, Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(maxNrOfRetries, withinTimeMilliseconds, new FunctionDecider(localOnlyDecider), loggingEnabled)
    {
    }

    public OneForOneStrategy(int maxNrOfRetries, int withinTimeMilliseconds, IDecider decider, bool loggingEnabled = true)
    {
        (MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider) = (maxNrOfRetries, withinTimeMilliseconds, decider);
        LoggingEnabled = loggingEnabled;
    }

    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider)
    {
    }

    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(-1, -1, localOnlyDecider, loggingEnabled)
    {
    }

    public OneForOneStrategy(IDecider decider)
        : this(-1, -1, decider)
    {
    }

    public int MaxNumberOfRetries { get; }

    public int WithinTimeRangeMilliseconds { get; }

    public override IDecider Decider { get; }

    public OneForOneStrategy WithMaxNrOfRetries(int maxNrOfRetries) => new(maxNrOfRetries, WithinTimeRangeMilliseconds, Decider);

    protected override Directive Handle(IActorRef child, Exception exception) => Decider.Decide(exception);

    internal override void Process(ActorCell supervisor, bool restart, ChildRecord child, Exception cause)
    {
        if (restart && child.MayRestart(MaxNumberOfRetries, WithinTimeRangeMilliseconds, supervisor.SystemImpl.Timers.Monotonic))
            child.Ref.SendSystem(new Restart(cause));
        else
            supervisor.Stop(child.Ref);
    }

    public bool Equals(OneForOneStrategy other) => other is not null && MaxNumberOfRetries == other.MaxNumberOfRetries
        && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds && Equals(Decider, other.Decider);

    public override bool Equals(object obj) => Equals(obj as OneForOneStrategy);

    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider);
}

/// <summary>All children share the fate of the one that failed. Limits as in <see cref="OneForOneStrategy"/>.</summary>
public class AllForOneStrategy : SupervisorStrategy, IEquatable<AllForOneStrategy>
{
    public AllForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), localOnlyDecider)
    {
    }

    public AllForOneStrategy(
        int maxNrOfRetries, int withinTimeMilliseconds, Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(maxNrOfRetries, withinTimeMilliseconds, new FunctionDecider(localOnlyDecider), loggingEnabled)
    {
    }

    public AllForOneStrategy(int maxNrOfRetries, int withinTimeMilliseconds, IDecider decider, bool loggingEnabled = true)
    {
        (MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider) = (maxNrOfRetries, withinTimeMilliseconds, decider);
        LoggingEnabled = loggingEnabled;
    }

    public AllForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider)
    {
    }

    public int MaxNumberOfRetries { get; }

    public int WithinTimeRangeMilliseconds { get; }

    public override IDecider Decider { get; }

    protected override Directive Handle(IActorRef child, Exception exception) => Decider.Decide(exception);

    internal override void Process(ActorCell supervisor, bool restart, ChildRecord child, Exception cause)
    {
        var children = supervisor.ChildRecords();
        var now = supervisor.SystemImpl.Timers.Monotonic;
        if (restart && children.All(c => c.MayRestart(MaxNumberOfRetries, WithinTimeRangeMilliseconds, now)))
        {
            foreach (var each in children)
            {
                if (each != child) each.Ref.SendSystem(Suspend.Instance);
                each.Ref.SendSystem(new Restart(cause));
            }
        }
        else
        {
            foreach (var each in children) supervisor.Stop(each.Ref);
        }
    }

    public bool Equals(AllForOneStrategy other) => other is not null && MaxNumberOfRetries == other.MaxNumberOfRetries
        && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds && Equals(Decider, other.Decider);

    public override bool Equals(object obj) => Equals(obj as AllForOneStrategy);

    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider);
}

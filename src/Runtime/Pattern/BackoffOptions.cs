using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Pattern;

/// <summary>Makes options for <see cref="BackoffSupervisor"/>.</summary>
/// <remarks>The pause before the n-th start anew (n from 0) is
/// min(maxBackoff, minBackoff · 2^n) · (1 + randomFactor · u), u uniform in [0, 1). maxNrOfRetries -1 is no limit.</remarks>
public static class Backoff
{
    /// <summary>Starts the child anew when it fails; the supervisor ends with a child that stops by itself.</summary>
    public static BackoffOptions OnFailure(
        Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor, int maxNrOfRetries) =>
        new BackoffPlan(true, childProps, childName, minBackoff, maxBackoff, randomFactor).WithMaxNrOfRetries(maxNrOfRetries);

    /// <summary>Starts the child anew when it has stopped, for whatever reason.</summary>
    public static BackoffOptions OnStop(
        Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor, int maxNrOfRetries) =>
        new BackoffPlan(false, childProps, childName, minBackoff, maxBackoff, randomFactor).WithMaxNrOfRetries(maxNrOfRetries);
}

/// <summary>How a <see cref="BackoffSupervisor"/> treats its child. Immutable.</summary>
public abstract class BackoffOptions
{
    private protected BackoffOptions()
    {
    }

    internal abstract Props Props { get; }

    /// <summary>The count of restarts begins again once the child has lived so long; minBackoff if nothing is said.</summary>
    public abstract BackoffOptions WithAutoReset(TimeSpan resetBackoff);

    /// <summary>The count begins again when the supervisor is told <see cref="BackoffSupervisor.Reset"/>.</summary>
    public abstract BackoffOptions WithManualReset();

    public abstract BackoffOptions WithSupervisorStrategy(OneForOneStrategy supervisorStrategy);

    /// <summary>Every failure stops the child.</summary>
    public abstract BackoffOptions WithDefaultStoppingStrategy();

    /// <summary>Answers what comes while there is no child; else it goes to the dead letters.</summary>
    public abstract BackoffOptions WithReplyWhileStopped(object replyWhileStopped);

    public abstract BackoffOptions WithMaxNrOfRetries(int maxNrOfRetries);

    /// <summary>After such a message the child's end is the supervisor's.</summary>
    public abstract BackoffOptions WithFinalStopMessage(Func<object, bool> isFinalStopMessage);
}

internal sealed class BackoffPlan(
    bool onFailure, Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor)
    : BackoffOptions
{
    public Props ChildProps => childProps;

    public string ChildName => childName;

    /// <summary>Null if only by hand.</summary>
    public TimeSpan? AutoReset { get; private init; } = minBackoff;

    public OneForOneStrategy Strategy { get; private init; } = new(SupervisorStrategy.DefaultDecider);

    public object ReplyWhileStopped { get; private init; }

    public Func<object, bool> IsFinalStop { get; private init; } = _ => false;

    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    internal override Props Props
    {
        get
        {
            if (minBackoff <= TimeSpan.Zero) throw new ArgumentException("MinBackoff must be greater than 0");
            if (maxBackoff < minBackoff) throw new ArgumentException("MaxBackoff must be greater than MinBackoff");
            if (randomFactor is < 0.0 or > 1.0) throw new ArgumentException("RandomFactor must be between 0.0 and 1.0");
            return onFailure
                ? Props.Create(typeof(BackoffOnFailureSupervisor), this)
                : Props.Create(typeof(BackoffSupervisor), this);
        }
    }

    public TimeSpan Pause(int restarts, double random) =>
        TimeSpan.FromTicks((long)Math.Min(
            long.MaxValue / 2,
            Math.Min(maxBackoff.Ticks, minBackoff.Ticks * Math.Pow(2, restarts)) * (1 + randomFactor * random)));

    public override BackoffOptions WithAutoReset(TimeSpan resetBackoff) => With(reset: resetBackoff);

    public override BackoffOptions WithManualReset() => With(manual: true);

    public override BackoffOptions WithSupervisorStrategy(OneForOneStrategy supervisorStrategy) => With(strategy: supervisorStrategy);

    public override BackoffOptions WithDefaultStoppingStrategy() =>
        With(strategy: new OneForOneStrategy(Strategy.MaxNumberOfRetries, null, SupervisorStrategy.StoppingStrategy.Decider));

    public override BackoffOptions WithReplyWhileStopped(object replyWhileStopped) => With(reply: replyWhileStopped);

    public override BackoffOptions WithMaxNrOfRetries(int maxNrOfRetries) => With(strategy: Strategy.WithMaxNrOfRetries(maxNrOfRetries));

    public override BackoffOptions WithFinalStopMessage(Func<object, bool> isFinalStopMessage) => With(final: isFinalStopMessage);

    private BackoffPlan With(
        TimeSpan? reset = null, bool manual = false, OneForOneStrategy strategy = null, object reply = null,
        Func<object, bool> final = null) =>
        new(onFailure, childProps, childName, minBackoff, maxBackoff, randomFactor)
        {
            AutoReset = manual ? null : reset ?? AutoReset,
            Strategy = strategy ?? Strategy,
            ReplyWhileStopped = reply ?? ReplyWhileStopped,
            IsFinalStop = final ?? IsFinalStop,
        };
}

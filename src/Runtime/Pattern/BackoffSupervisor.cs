using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Pattern;

/// <summary>Passes everything on to one child and starts it anew, after growing pauses, when it ends.</summary>
public abstract class BackoffSupervisorBase : ActorBase
{
    private readonly BackoffPlan _plan;

    internal BackoffSupervisorBase(BackoffPlan plan) => _plan = plan;

    private protected IActorRef TheChild { get; set; }

    private protected int Restarts { get; set; }

    private protected bool FinalStopCame { get; private set; }

    private protected BackoffPlan Plan => _plan;

    protected override void PreStart() => StartTheChild();

    /// <summary>Starts the child after the pause that is due, or ends if that would be one restart too many.</summary>
    private protected void StartAgainLater(int maxRestarts)
    {
        TheChild = null;
        if (maxRestarts >= 0 && Restarts + 1 > maxRestarts)
        {
            Context.Stop(Self);
            return;
        }
        var pause = Plan.Pause(Restarts, ((EmbeddedSystem)Context.System).NextRandom());
        Context.System.Scheduler.ScheduleTellOnce(pause, Self, BackoffSupervisor.StartChild.Instance, Self);
        Restarts++;
    }

    private protected bool Handle(object message)
    {
        switch (message)
        {
            case BackoffSupervisor.StartChild:
                StartTheChild();
                if (Plan.AutoReset is { } after)
                    Context.System.Scheduler.ScheduleTellOnce(after, Self, new BackoffSupervisor.ResetRestartCount(Restarts), Self);
                return true;
            case BackoffSupervisor.Reset:
                if (Plan.AutoReset is null) Restarts = 0;
                else Unhandled(message);
                return true;
            case BackoffSupervisor.ResetRestartCount reset:
                if (reset.Current == Restarts) Restarts = 0;
                return true;
            case BackoffSupervisor.GetRestartCount:
                Sender.Tell(new BackoffSupervisor.RestartCount(Restarts));
                return true;
            case BackoffSupervisor.GetCurrentChild:
                Sender.Tell(new BackoffSupervisor.CurrentChild(TheChild));
                return true;
            default:
                Pass(message);
                return true;
        }
    }

    private void StartTheChild() => TheChild ??= Context.Watch(Context.ActorOf(Plan.ChildProps, Plan.ChildName));

    private void Pass(object message)
    {
        if (TheChild is null)
        {
            if (Plan.ReplyWhileStopped is { } reply) Sender.Tell(reply);
            else Context.System.DeadLetters.Forward(message);
            if (Plan.IsFinalStop(message)) Context.Stop(Self);
        }
        else if (TheChild.Equals(Sender))
        {
            Context.Parent.Tell(message); // the child speaks to its parent's parent, in the supervisor's name
        }
        else
        {
            TheChild.Forward(message);
            FinalStopCame |= Plan.IsFinalStop(message);
        }
    }
}

/// <summary>The supervisor of <see cref="Backoff.OnStop"/>, and the messages of both kinds.</summary>
public sealed class BackoffSupervisor : BackoffSupervisorBase
{
    internal BackoffSupervisor(BackoffPlan plan)
        : base(plan)
    {
    }

    /// <summary>The supervisor that the options describe.</summary>
    public static Props Props(BackoffOptions options) => options.Props;

    protected override SupervisorStrategy SupervisorStrategy() => Plan.Strategy;

    protected override bool Receive(object message)
    {
        if (message is not Terminated terminated || !terminated.ActorRef.Equals(TheChild)) return Handle(message);
        if (FinalStopCame) Context.Stop(Self);
        else StartAgainLater(Plan.Strategy.MaxNumberOfRetries);
        return true;
    }

    /// <summary>Asks for <see cref="CurrentChild"/>.</summary>
    public sealed class GetCurrentChild
    {
        public static readonly GetCurrentChild Instance = new();

        private GetCurrentChild()
        {
        }
    }

    /// <summary>The child; null in a pause.</summary>
    public sealed class CurrentChild
    {
        public CurrentChild(IActorRef @ref) => Ref = @ref;

        public IActorRef Ref { get; }
    }

    /// <summary>Begins the count of restarts again, where <see cref="BackoffOptions.WithManualReset"/> was chosen.</summary>
    public sealed class Reset
    {
        public static readonly Reset Instance = new();

        private Reset()
        {
        }
    }

    /// <summary>Asks for <see cref="RestartCount"/>.</summary>
    public sealed class GetRestartCount
    {
        public static readonly GetRestartCount Instance = new();

        private GetRestartCount()
        {
        }
    }

    public sealed class RestartCount
    {
        public RestartCount(int count) => Count = count;

        public int Count { get; }
    }

    /// <summary>The pause is over.</summary>
    public sealed class StartChild : IDeadLetterSuppression
    {
        public static readonly StartChild Instance = new();

        private StartChild()
        {
        }
    }

    /// <summary>The child has lived long enough, if it has not been started anew since.</summary>
    public sealed class ResetRestartCount : IDeadLetterSuppression
    {
        public ResetRestartCount(int current) => Current = current;

        public int Current { get; }
    }
}

/// <summary>The supervisor of <see cref="Backoff.OnFailure"/>: what would be a restart is a stop and a later start.</summary>
internal sealed class BackoffOnFailureSupervisor : BackoffSupervisorBase
{
    private bool _failed;

    public BackoffOnFailureSupervisor(BackoffPlan plan)
        : base(plan)
    {
    }

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(Plan.Strategy.MaxNumberOfRetries, Plan.Strategy.WithinTimeRangeMilliseconds, Decide);

    protected override bool Receive(object message)
    {
        if (message is not Terminated terminated || !terminated.ActorRef.Equals(TheChild)) return Handle(message);
        if (_failed) StartAgainLater(Plan.Strategy.MaxNumberOfRetries);
        else Context.Stop(Self);
        _failed = false;
        return true;
    }

    private Directive Decide(Exception cause)
    {
        var directive = Plan.Strategy.Decider.Decide(cause);
        if (directive != Directive.Restart) return directive;
        _failed = true;
        if (Plan.Strategy.WithinTimeRangeMilliseconds > 0 && Restarts == 0)
        {
            Context.System.Scheduler.ScheduleTellOnce(
                TimeSpan.FromMilliseconds(Plan.Strategy.WithinTimeRangeMilliseconds), Self,
                new BackoffSupervisor.ResetRestartCount(0), Self);
        }
        return Directive.Stop;
    }
}

using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>An actor whose behaviour the spec writes in place; it is configured anew at every restart.</summary>
public sealed class Act : ReceiveActor, IWithTimers, IWithStash
{
    private SupervisorStrategy _strategy;

    public Act(Action<Act> configure) => configure(this);

    public static Props Of(Action<Act> configure) => Props.Create(() => new Act(configure));

    public ITimerScheduler Timers { get; set; }

    public IStash Stash { get; set; }

    public IUntypedActorContext Ctx => Context;

    public IActorRef Me => Self;

    public IActorRef From => Sender;

    public Action Starting { get; set; }

    public Action Stopped { get; set; }

    public Action<Exception, object> Restarting { get; set; }

    public Action<Exception> Restarted { get; set; }

    /// <summary>Leaves children alone at a restart.</summary>
    public bool KeepsChildren { get; set; }

    public void On<T>(Action<T> handler) => Receive(handler);

    public void On<T>(Action<T> handler, Predicate<T> when) => Receive(handler, when);

    public void On<T>(Func<T, bool> handler) => Receive(handler);

    public void OnType(Type type, Action<object> handler) => Receive(type, handler);

    public void OnAny(Action<object> handler) => ReceiveAny(handler);

    public void Turn(Action configure) => Become(configure);

    public void Push(Action configure) => BecomeStacked(configure);

    public void Pop() => UnbecomeStacked();

    public void Supervise(SupervisorStrategy strategy) => _strategy = strategy;

    protected override SupervisorStrategy SupervisorStrategy() => _strategy ?? base.SupervisorStrategy();

    protected override void PreStart() => Starting?.Invoke();

    protected override void PostStop() => Stopped?.Invoke();

    protected override void PreRestart(Exception reason, object message)
    {
        Restarting?.Invoke(reason, message);
        if (!KeepsChildren) base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason)
    {
        Restarted?.Invoke(reason);
        base.PostRestart(reason);
    }
}

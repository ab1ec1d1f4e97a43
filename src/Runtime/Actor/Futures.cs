using Rl.Distributed.Runtime.Engine;

namespace Akka.Actor;

/// <summary>A message with a task for its answer.</summary>
public static class Futures
{
    public static Task<object> Ask(this ICanTell self, object message, TimeSpan? timeout = default) =>
        self.Ask<object>(message, timeout, CancellationToken.None);

    public static Task<object> Ask(this ICanTell self, object message, CancellationToken cancellationToken) =>
        self.Ask<object>(message, null, cancellationToken);

    public static Task<object> Ask(this ICanTell self, object message, TimeSpan? timeout, CancellationToken cancellationToken) =>
        self.Ask<object>(message, timeout, cancellationToken);

    public static Task<T> Ask<T>(this ICanTell self, object message, CancellationToken cancellationToken) =>
        self.Ask<T>(message, null, cancellationToken);

    /// <summary>The task ends with the answer; with <see cref="ArgumentException"/> if it is of another type, with the
    /// cause of a <see cref="Status.Failure"/>, with <see cref="AskTimeoutException"/> if it does not come in time.</summary>
    public static Task<T> Ask<T>(this ICanTell self, object message, TimeSpan? timeout = default) =>
        self.Ask<T>(message, timeout, CancellationToken.None);

    public static Task<T> Ask<T>(this ICanTell self, object message, TimeSpan? timeout, CancellationToken cancellationToken) =>
        self.Ask<T>(_ => message, timeout, cancellationToken);

    /// <param name="self">Who is asked.</param>
    /// <param name="messageFactory">Makes the message from the reference that the answer goes to.</param>
    /// <param name="timeout">On the system's clock; null or not above zero for none.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static Task<T> Ask<T>(
        this ICanTell self, Func<IActorRef, object> messageFactory, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var target = self is ActorSelection selection ? selection.Anchor : self;
        var system = (target as InternalActorRefBase)?.SystemImpl ?? ActorCell.Current?.SystemImpl
            ?? throw new ArgumentException("Unable to resolve the target Provider", nameof(self));
        var answer = new AskRef<T>(system, timeout, cancellationToken);
        self.Tell(messageFactory(answer), answer);
        return answer.Task;
    }
}

/// <summary>Telling an actor how a task went.</summary>
public static class PipeToSupport
{
    /// <summary>Tells the result, or <see cref="Status.Failure"/> if the task or <paramref name="success"/> fails.</summary>
    /// <param name="taskToPipe">What is waited for.</param>
    /// <param name="recipient">Usually Self; read before, since it is only valid in the handler.</param>
    /// <param name="sender">Of the message told; nobody if null.</param>
    /// <param name="success">Makes the message from the result.</param>
    /// <param name="failure">Makes the message from the exception.</param>
    public static async Task PipeTo<T>(
        this Task<T> taskToPipe, ICanTell recipient, IActorRef sender = null,
        Func<T, object> success = null, Func<Exception, object> failure = null)
    {
        try
        {
            var result = await taskToPipe.ConfigureAwait(false);
            recipient.Tell(success is null ? result : success(result), sender);
        }
        catch (Exception e)
        {
            recipient.Tell(failure is null ? new Status.Failure(e) : failure(e), sender);
        }
    }

    /// <summary>As the other, but success is only told if <paramref name="success"/> makes a message of it.</summary>
    public static async Task PipeTo(
        this Task taskToPipe, ICanTell recipient, IActorRef sender = null,
        Func<object> success = null, Func<Exception, object> failure = null)
    {
        try
        {
            await taskToPipe.ConfigureAwait(false);
            if (success is not null) recipient.Tell(success(), sender);
        }
        catch (Exception e)
        {
            recipient.Tell(failure is null ? new Status.Failure(e) : failure(e), sender);
        }
    }
}

/// <summary>Stopping an actor and waiting for its end.</summary>
public static class GracefulStopSupport
{
    public static Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout) => target.GracefulStop(timeout, PoisonPill.Instance);

    /// <summary>Tells the message and waits; true if the actor stopped in time.</summary>
    public static Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout, object stopMessage)
    {
        if (target is not InternalActorRefBase { SystemImpl: { } system } watched)
            throw new InvalidOperationException($"{target} cannot be death-watched");
        var end = new EndWatchRef(system, watched, timeout);
        watched.SendSystem(new Watch(watched, end));
        target.Tell(stopMessage, ActorRefs.NoSender);
        return end.Task;
    }
}

using System.Runtime.ExceptionServices;
using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>Creation, failure, restart and end.</summary>
/// <remarks>
/// An actor that throws suspends itself and its children and tells its parent, whose strategy answers with Resume,
/// Restart or Terminate. A restart first stops children (in PreRestart) and waits for their end; until then what
/// would change its course is put off. A count of suspensions stays balanced: each failure adds one, each answer takes one.
/// </remarks>
internal sealed partial class ActorCell
{
    private enum Phase
    {
        Normal,

        /// <summary>Waits for children to stop, then a fresh instance takes over.</summary>
        Restarting,

        /// <summary>As Restarting, where there is no instance since the last one failed to start.</summary>
        Recreating,
        Terminating,
    }

    private readonly List<SystemMessage> _putOff = [];
    private Phase _phase;
    private Exception _restartCause;
    private bool _failed;
    private LocalActorRef _escalatedBy;

    /// <summary>Handles one system message.</summary>
    public void InvokeSystem(SystemMessage message)
    {
        if (IsPutOff(message))
        {
            _putOff.Add(message);
            return;
        }
        try
        {
            Handle(message);
        }
        catch (Exception e)
        {
            Fail(e, (message as Failed)?.Child);
        }
        for (var i = 0; i < _putOff.Count && !Mailbox.IsClosed; i++)
        {
            if (IsPutOff(_putOff[i])) continue;
            var next = _putOff[i];
            _putOff.RemoveAt(i);
            InvokeSystem(next);
            return;
        }
    }

    private bool IsPutOff(SystemMessage message) => _phase switch
    {
        Phase.Restarting or Phase.Recreating => message is Restart or Resume or Engine.Suspend or Failed,
        Phase.Terminating => false,
        _ => Mailbox.IsSuspended && message is Failed,
    };

    private void Handle(SystemMessage message)
    {
        switch (message)
        {
            case Create:
                Start();
                return;
            case Watch watch:
                AddWatcher(watch);
                return;
            case Unwatch unwatch:
                _watchers.Remove(unwatch.Watcher);
                return;
            case DeathNotice notice:
                ActorEnded(notice);
                return;
            case Failed failed:
                HandleFailed(failed);
                return;
            case Engine.Suspend:
                Mailbox.Suspend();
                Suspend(except: null);
                return;
            case Resume resume:
                HandleResume(resume);
                return;
            case Restart restart:
                HandleRestart(restart.Cause);
                return;
            case Engine.Terminate:
                HandleTerminate();
                return;
        }
    }

    private void Start()
    {
        try
        {
            _behaviors.Clear();
            _actor = NewActor();
            _actor.AroundPreStart();
            StartReceiveTimer();
        }
        catch (Exception e)
        {
            _actor = null;
            StopTimers();
            throw e as ActorInitializationException ?? new ActorInitializationException(SelfRef, "Exception during creation", e);
        }
    }

    private ActorBase NewActor()
    {
        var actor = Props.NewActor();
        if (Props.SupervisorStrategy is { } strategy) actor.Strategy = strategy;
        if (actor is IActorStash stashing) stashing.Stash ??= new ActorStash(this);
        if (actor is IWithTimers timed) timed.Timers = _timers = new ActorTimers(this);
        (actor as ReceiveActor)?.EndConfiguration();
        return actor;
    }

    /// <summary>Suspends and tells the parent, once until it has answered.</summary>
    private void Fail(Exception cause, LocalActorRef escalatedBy = null)
    {
        if (_failed) return;
        (_failed, _escalatedBy) = (true, escalatedBy);
        Mailbox.Suspend();
        Suspend(except: escalatedBy);
        ParentRef.SendSystem(new Failed(SelfRef, cause));
    }

    private void HandleFailed(Failed failed)
    {
        if (_phase == Phase.Terminating) return; // the child stops anyway
        if (RecordOf(failed.Child) is not { } child)
        {
            Log(LogLevel.DebugLevel, failed.Cause, $"Dropping Failed from unknown child {failed.Child}");
            return;
        }
        (_message, _sender) = (failed, failed.Child);
        if (!_actor.Strategy.HandleFailure(this, child, failed.Cause)) ExceptionDispatchInfo.Throw(failed.Cause);
    }

    private void HandleResume(Resume resume)
    {
        if (_actor is null)
        {
            Recreate();
            return;
        }
        Mailbox.Resume();
        if (resume.CausedByFailure is not null) _failed = false;
        // Only the child whose failure came up to here has failed; the others were just suspended.
        foreach (var child in ChildRecords())
            child.Ref.SendSystem(child.Ref == _escalatedBy ? resume : new Resume(null));
        if (resume.CausedByFailure is not null) _escalatedBy = null;
    }

    private void HandleRestart(Exception cause)
    {
        if (_phase == Phase.Terminating)
        {
            Mailbox.Resume();
            return;
        }
        if (_actor is null)
        {
            Recreate();
            return;
        }
        try
        {
            _actor.AroundPreRestart(cause, _message is SystemMessage ? null : _message);
            EndIncarnation(_actor);
        }
        catch (Exception e)
        {
            Log(LogLevel.ErrorLevel, e, $"PreRestart failed, while restarting because of: {cause.Message}");
            StopTimers();
        }
        (_actor, _message, _sender, _restartCause) = (null, null, null, cause);
        _phase = Phase.Restarting;
        if (!AwaitsChildren(all: false)) FinishRestart();
    }

    private void FinishRestart()
    {
        var survivors = ChildRecords();
        (_phase, _failed, _escalatedBy) = (Phase.Normal, false, null);
        Mailbox.Resume();
        try
        {
            _behaviors.Clear();
            _actor = NewActor();
            _actor.AroundPostRestart(_restartCause, null);
            StartReceiveTimer();
            foreach (var child in survivors) child.Ref.SendSystem(new Restart(_restartCause));
        }
        catch (Exception e)
        {
            _actor = null;
            StopTimers();
            Fail(e as ActorInitializationException ?? new ActorInitializationException(SelfRef, "Exception during restart", e));
        }
    }

    private void Recreate()
    {
        SetReceiveTimeout(null);
        StopChildren();
        _phase = Phase.Recreating;
        if (!AwaitsChildren(all: false)) FinishRecreate();
    }

    private void FinishRecreate()
    {
        (_phase, _failed, _escalatedBy) = (Phase.Normal, false, null);
        Mailbox.Resume();
        try
        {
            Start();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void HandleTerminate()
    {
        SetReceiveTimeout(null);
        UnwatchAll();
        lock (_children) _takesChildren = false;
        StopChildren();
        if (!AwaitsChildren(all: true))
        {
            FinishTerminate();
        }
        else if (_phase != Phase.Terminating)
        {
            _phase = Phase.Terminating;
            Mailbox.Suspend();
            _failed = true; // what fails from now on stops with it
        }
    }

    private void FinishTerminate()
    {
        _phase = Phase.Terminating;
        try
        {
            if (_actor is not null)
            {
                _actor.AroundPostStop();
                EndIncarnation(_actor);
            }
        }
        catch (Exception e)
        {
            Log(LogLevel.ErrorLevel, e, e.Message);
            StopTimers();
        }
        _actor = null;
        _behaviors.Clear();
        Mailbox.Close();
        TellOfDeath();
    }

    /// <summary>Its timers end, and what it put aside waits for the next incarnation.</summary>
    private void EndIncarnation(ActorBase actor)
    {
        StopTimers();
        (actor as IActorStash)?.Stash?.UnstashAll();
    }

    private void StopTimers()
    {
        StopReceiveTimer();
        _timers?.CancelAll();
        _timers = null;
    }
}

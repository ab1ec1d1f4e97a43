using Akka.Actor;
using Akka.Configuration;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>A child and its history of restarts.</summary>
internal sealed class ChildRecord(LocalActorRef child)
{
    private int _restarts;
    private TimeSpan? _windowStart;

    public LocalActorRef Ref { get; } = child;

    /// <summary>It was told to stop; its name is taken until it has.</summary>
    public bool Stopping { get; set; }

    /// <summary>Counts one more restart and says whether it is within the limits of the strategy.</summary>
    public bool MayRestart(int maxRetries, int windowMilliseconds, TimeSpan now)
    {
        if (maxRetries == 0) return false;
        if (windowMilliseconds <= 0) return maxRetries < 0 || ++_restarts <= maxRetries;
        _windowStart ??= now;
        if (now - _windowStart > TimeSpan.FromMilliseconds(windowMilliseconds))
        {
            (_restarts, _windowStart) = (1, now);
            return true;
        }
        return ++_restarts <= (maxRetries > 0 ? maxRetries : 1);
    }
}

internal sealed partial class ActorCell
{
    /// <summary>Also the lock: /user gets children from any thread, and selections look in from any.</summary>
    private readonly Dictionary<string, ChildRecord> _children = new(StringComparer.Ordinal);

    private long _madeUpNames;
    private bool _takesChildren = true;

    public IActorRef ActorOf(Props props, string name = null)
    {
        ArgumentNullException.ThrowIfNull(props);
        if (name is not null && !ActorPath.IsValidPathElement(name))
            throw new InvalidActorNameException(
                $"Illegal actor name [{name}]: not empty, no $ in front, only letters, digits and {ActorPath.ValidSymbols}");
        LocalActorRef child;
        lock (_children)
        {
            if (!_takesChildren) throw new InvalidOperationException("Cannot create child while terminating or terminated");
            name ??= MadeUpName(_madeUpNames++);
            if (_children.ContainsKey(name)) throw new InvalidActorNameException($"Actor name \"{name}\" is not unique!");
            var path = new ChildActorPath(SelfRef.Path, name, SystemImpl.NextUid());
            if (!SystemImpl.TryGetDispatcher(props.Dispatcher, out var dispatcher))
                throw new ConfigurationException($"Dispatcher [{props.Dispatcher}] not configured for path {path}");
            child = new LocalActorRef(SystemImpl, props, dispatcher, SelfRef, path);
            _children.Add(name, new ChildRecord(child));
        }
        child.SendSystem(Create.Instance);
        return child;
    }

    public IActorRef Child(string name) => (IActorRef)ChildNamed(name) ?? ActorRefs.Nobody;

    public LocalActorRef ChildNamed(string name)
    {
        lock (_children) return _children.TryGetValue(name, out var child) ? child.Ref : null;
    }

    public IEnumerable<IActorRef> GetChildren() => ChildRecords().Select(child => child.Ref);

    public IReadOnlyList<ChildRecord> ChildRecords()
    {
        lock (_children) return [.. _children.Values];
    }

    public void Stop(IActorRef child)
    {
        if (RecordOf(child) is { } record) record.Stopping = true;
        ((InternalActorRefBase)child).SendSystem(Engine.Terminate.Instance);
    }

    /// <summary>$a … $z, $aa …: in the order of making.</summary>
    internal static string MadeUpName(long number)
    {
        var name = "";
        for (number++; number > 0; number = (number - 1) / 26) name = (char)('a' + ((number - 1) % 26)) + name;
        return "$" + name;
    }

    /// <summary>Null if that incarnation is no child.</summary>
    private ChildRecord RecordOf(IActorRef child)
    {
        lock (_children)
            return _children.TryGetValue(child.Path.Name, out var record) && record.Ref.Equals(child) ? record : null;
    }

    private bool AwaitsChildren(bool all)
    {
        lock (_children) return _children.Values.Any(child => all || child.Stopping);
    }

    private void Suspend(LocalActorRef except)
    {
        foreach (var child in ChildRecords())
        {
            if (child.Ref != except) child.Ref.SendSystem(Engine.Suspend.Instance);
        }
    }

    private void StopChildren()
    {
        foreach (var child in ChildRecords()) Stop(child.Ref);
    }

    private void ChildEnded(IActorRef child)
    {
        lock (_children)
        {
            if (RecordOf(child) is null) return;
            _children.Remove(child.Path.Name);
        }
        switch (_phase)
        {
            case Phase.Restarting when !AwaitsChildren(all: false):
                FinishRestart();
                return;
            case Phase.Recreating when !AwaitsChildren(all: false):
                FinishRecreate();
                return;
            case Phase.Terminating when !AwaitsChildren(all: true):
                FinishTerminate();
                return;
        }
    }
}

using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>The embedded engine on threads, its time moved by hand.</summary>
public sealed class ThreadedHarness : Harness
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();

    public ThreadedHarness() => System = EmbeddedEngine.Create("spec", Options with { TimeProvider = _time });

    public static EmbeddedEngine.Options Options { get; } = new()
    {
        Dispatchers = new Dictionary<string, EmbeddedEngine.DispatcherKind>
        {
            [Pool] = EmbeddedEngine.DispatcherKind.Pool,
            [Pinned] = EmbeddedEngine.DispatcherKind.Pinned,
        },
    };

    public override ActorSystem System { get; }

    public override void Advance(TimeSpan by) => _time.Advance(by, Settle);

    public override bool Eventually(Func<bool> condition) => SpinWait.SpinUntil(condition, Deadline);

    /// <summary>Two looks in a row find every mailbox at rest and no message handled in between.</summary>
    public override void Settle()
    {
        var before = -1L;
        Assert.True(Eventually(() =>
        {
            var now = HandledIfAtRest();
            var settled = now >= 0 && now == before;
            before = now;
            return settled;
        }), "the actors do not come to rest");
    }

    private long HandledIfAtRest()
    {
        var system = (EmbeddedSystem)System;
        var handled = 0L;
        var cells = new Queue<ActorCell>([system.UserGuardian.Cell, system.SystemGuardian.Cell]);
        while (cells.TryDequeue(out var cell))
        {
            if (!cell.Mailbox.IsAtRest) return -1;
            handled += cell.EnvelopesHandled;
            foreach (var child in cell.ChildRecords()) cells.Enqueue(child.Ref.Cell);
        }
        return handled;
    }
}

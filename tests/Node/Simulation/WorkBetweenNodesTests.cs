using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>What the learner's node and a node that acts agree on, over the simulated network.</summary>
public sealed class WorkBetweenNodesTests
{
    private const string First = "10.0.0.1", Second = "10.0.0.2", Acting = "10.0.0.3";

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(7);
    private readonly TrainingConfig _config = Simulated.Request(7, frames: 1_000_000_000).Config;

    public WorkBetweenNodesTests() => _simulation.MessageCost = TimeSpan.FromMilliseconds(2);

    [Fact]
    public void A_second_learner_gives_way_and_the_first_keeps_its_workers()
    {
        var first = Lead(Start(First, NodeRoles.Leading));
        Until(() => IsUp(first.System));
        var second = Lead(Start(Second, NodeRoles.Leading));
        Until(() => IsUp(second.System));
        Act(Start(Acting, [NodeRoles.Actor]), new WorkHistory());
        Until(() => second.Failure is not null);
        Assert.Contains($"{First}:4053 leads a run in this cluster", second.Failure!.Message);
        Assert.Contains($"rl node --join {First}:4053", second.Failure.Message);
        Assert.Equal(0, second.MostWorkers);
        var before = first.Consumed;
        Until(() => first.Consumed > before + 100);
        Assert.Equal(1, first.Workers);
        Assert.Null(first.Failure);
    }

    [Fact]
    public void Only_who_gave_the_work_can_end_it()
    {
        var first = Lead(Start(First, NodeRoles.Leading));
        var host = Act(Start(Acting, [NodeRoles.Actor]), new WorkHistory());
        Until(() => first.Consumed > 0);
        var stranger = new Stranger();
        first.System.ActorOf(Props.Create(() => new StrangerActor(stranger, Remote(host))), "stranger");
        var before = first.Consumed;
        Until(() => first.Consumed > before + 100);
        Assert.Contains($"works for akka.tcp://rl@{First}:4053", Assert.Single(stranger.Heard.OfType<WorkFailed>()).Reason);
    }

    [Fact]
    public void A_node_of_another_build_does_not_work_and_says_why()
    {
        var system = Start(First, NodeRoles.Leading);
        var plan = WorkerPlan.Create(_config);
        var work = new WorkAssigned("run", ConfigWriter.Write(_config), plan.Build with { Parameters = 12 }, 0, 0, 1);
        var heard = new List<object>();
        system.ActorOf(Props.Create(() => new FakeCoordinator(work, heard)), RunCoordinator.Name);
        Act(Start(Acting, [NodeRoles.Actor]), new WorkHistory());
        Until(() => heard.OfType<WorkFailed>().Any());
        var reason = heard.OfType<WorkFailed>().First().Reason;
        Assert.Contains("different builds", reason);
        Assert.Contains("12 parameters", reason);
        Assert.Contains($"{plan.Build.Parameters} parameters", reason);
        // Said again, since it may have got lost.
        Until(() => heard.OfType<WorkFailed>().Count() > 3);
    }

    [Fact]
    public void What_workers_knew_last_outlives_their_system()
    {
        var first = Lead(Start(First, NodeRoles.Leading));
        var history = new WorkHistory();
        var acting = Start(Acting, [NodeRoles.Actor]);
        Act(acting, history);
        Until(() => first.Consumed > 300);
        acting.Terminate();
        Until(() => acting.WhenTerminated.IsCompleted);
        // Credits bound what it had sent and not heard of.
        var report = Assert.Single(history.Reports());
        Assert.InRange(report.Consumed, first.Consumed - _config.Workers.Credits, first.Consumed);
    }

    [Fact]
    public void A_failure_beside_the_learner_is_followed_by_a_last_checkpoint()
    {
        var leading = Start(First, NodeRoles.Leading);
        var first = Lead(leading, localWorkers: 1);
        Until(() => first.Consumed > 10);
        leading.ActorSelection($"/user/{RunCoordinator.Name}/workers/worker-0").Tell(Kill.Instance);
        for (var i = 0; i < 6; i++)
        {
            _simulation.Advance(TimeSpan.FromSeconds(1));
            leading.ActorSelection($"/user/{RunCoordinator.Name}/workers/worker-0").Tell(Kill.Instance);
        }
        Until(() => first.Failure is not null);
        Assert.IsType<WorkerFailedException>(first.Failure);
        Assert.Equal(first.Frames, first.SavedFrames);
        Assert.True(first.SavedFrames > 0);
    }

    private void Until(Func<bool> condition) => Assert.True(_simulation.RunUntil(condition, TimeSpan.FromMinutes(2)));

    private static bool IsUp(ActorSystem system) => Cluster.Get(system).SelfMember.Status == MemberStatus.Up;

    private ActorSystem Start(string host, IReadOnlyList<string> roles)
    {
        var endpoint = new NodeEndpoint { Listen = new HostPort(host, 4053), Roles = roles };
        var system = EngineHost.Create(_simulation, Logger.None, endpoint);
        Cluster.Get(system).JoinSeedNodes([EngineHost.AddressOf(new HostPort(First, 4053))]);
        return system;
    }

    private Run Lead(ActorSystem system, int localWorkers = 0)
    {
        var endpoint = new NodeEndpoint { Listen = new HostPort("unused", 1) };
        var run = new Run(system);
        var plan = ImpalaRunPlan.Create(
            _config, new TrainingRunOptions { Endpoint = endpoint, LocalWorkers = localWorkers, RunId = "run" }, SequentialRunner.Instance,
            (checkpoint, frames) =>
            {
                run.SavedFrames = frames;
                return Task.CompletedTask;
            });
        run.Ledger = plan.State;
        system.ActorOf(Props.Create(() => new RunCoordinator(plan, run)), RunCoordinator.Name);
        return run;
    }

    private static IActorRef Act(ActorSystem system, WorkHistory history)
    {
        IReadOnlyList<Address> seeds = [EngineHost.AddressOf(new HostPort(First, 4053))];
        Action seedsLost = () => { };
        var environments = KnownEnvironments.Foreign();
        return system.ActorOf(Props.Create(() => new WorkerHost(1, history, environments, seeds, seedsLost)), ActorNode.HostName);
    }

    private static ActorPath Remote(IActorRef host) =>
        new RootActorPath(EngineHost.AddressOf(new HostPort(Acting, 4053))) / "user" / host.Path.Name;

    /// <summary>How a run went.</summary>
    private sealed class Run(ActorSystem system) : IRunWatcher
    {
        public ActorSystem System => system;

        public ImpalaState? Ledger { get; set; }

        public long Consumed => Ledger!.Ledger.Consumed;

        public long Frames => Ledger!.Learner.Frames;

        public long SavedFrames { get; set; } = -1;

        public int Workers { get; private set; }

        public int MostWorkers { get; private set; }

        public Exception? Failure { get; private set; }

        public void OnReport(LearnerReport report)
        {
        }

        public void OnReport(WorkerReport report)
        {
        }

        public void OnWorkers(WorkerRoster roster) => (Workers, MostWorkers) = (roster.Workers, Math.Max(MostWorkers, roster.Workers));

        public void OnFinished(TrainingFinished end)
        {
        }

        public void OnFailed(Exception reason) => Failure ??= reason;
    }

    private sealed class Stranger
    {
        public List<object> Heard { get; } = [];
    }

    /// <summary>A coordinator that nobody asked.</summary>
    private sealed class StrangerActor : ReceiveActor
    {
        public StrangerActor(Stranger stranger, ActorPath host)
        {
            ReceiveAny(stranger.Heard.Add);
            Context.ActorSelection(host).Tell(StopWork.Instance, Self);
            Context.ActorSelection(host).Tell(new WorkAssigned("another", "", new BuildFacts("", 0, 0, ""), 0, 0, 1), Self);
        }
    }

    private sealed class FakeCoordinator : ReceiveActor
    {
        public FakeCoordinator(WorkAssigned work, List<object> heard)
        {
            Context.ActorOf(Props.Create(() => new Silent()), RunCoordinator.ReplayName);
            Context.ActorOf(Props.Create(() => new Silent()), RunCoordinator.ServerName);
            Receive<OfferWorkers>(_ => Sender.Tell(work));
            ReceiveAny(heard.Add);
        }
    }

    private sealed class Silent : ReceiveActor
    {
        public Silent() => ReceiveAny(_ => { });
    }
}

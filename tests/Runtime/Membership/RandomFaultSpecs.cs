using System.Text;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>Random joins, crashes, partitions, losses and departures; afterwards everything heals and must agree.</summary>
public sealed class RandomFaultSpecs
{
    /// <summary>RL_MEMBERSHIP_SEEDS=30000 tries more; a failing seed is named with all that happened.</summary>
    private static readonly ulong Seeds = ulong.Parse(Environment.GetEnvironmentVariable("RL_MEMBERSHIP_SEEDS") ?? "150");

    [Fact]
    public void Whatever_happens_one_node_has_authority_and_in_the_end_all_agree()
    {
        for (var seed = 1UL; seed <= Seeds; seed++) new Run(seed).All();
    }

    private sealed class Run(ulong seed)
    {
        private readonly ClusterWorld _world = new(seed);
        private readonly Random _random = new((int)seed);
        private readonly StringBuilder _trace = new($"Seed {seed}\n");

        public void All()
        {
            try
            {
                AddNodes();
                for (var count = _random.Next(5, 25); count > 0; count--)
                {
                    Act();
                    Watch(_random.Next(10) == 0 ? _random.Next(8000) : _random.Next(800));
                }
                Heal();
                for (var waited = 0; !IsSettled(); waited += 100)
                {
                    Assert.True(waited < 40_000, "no agreement");
                    Watch(100);
                }
                Watch(3000);
                Assert.True(IsSettled(), "agreement did not last");
                _world.Dispose();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{e.Message}\n{_trace}{_world}", e);
            }
        }

        private void AddNodes()
        {
            var count = _random.Next(2, 7);
            var (learner, second) = (_random.Next(1, count + 1), _random.Next(1, 4 * count));
            int[] seeds = _random.Next(3) == 0 ? [1, 2] : [1];
            for (var port = 1; port <= count; port++) _world.Add(port, port == learner || port == second ? "learner" : "actor", seeds);
            if (_random.Next(2) == 0) _world.Network.DropProbability = _random.NextDouble() * 0.3;
            _trace.AppendLine($"learners {learner} {second}, {seeds.Length} seeds, drops {_world.Network.DropProbability:F2}");
        }

        private void Act()
        {
            var node = _world.Nodes[_random.Next(_world.Nodes.Count)];
            var other = _world.Nodes[_random.Next(_world.Nodes.Count)];
            var what = _random.Next(12);
            _trace.AppendLine($"{_world.Elapsed.TotalSeconds:F3} {what} {node} / {other.Address.Port}");
            if (node.System is null)
            {
                node.Start();
                return;
            }
            switch (what)
            {
                case 0 or 1:
                    node.Crash(silent: what == 1);
                    break;
                case 2:
                    node.Crash();
                    node.Start();
                    break;
                case 3 or 4:
                    var side = _world.Nodes.Where(_ => _random.Next(2) == 0).ToArray();
                    _world.Partition(side, [.. _world.Nodes.Except(side)]);
                    _trace.AppendLine("    " + string.Join(' ', side.Select(each => each.Address.Port)));
                    break;
                case 5 or 6:
                    _world.Network.Heal();
                    break;
                case 7:
                    node.Cluster.Leave(other.Address);
                    break;
                case 8:
                    node.System.Terminate();
                    break;
                case 9 when other.System is not null && node != other:
                    _world.Network.Cut(node.System, other.System);
                    break;
                case 10 when other.System is not null && node != other:
                    _world.Network.Break(node.System, other.System);
                    break;
                case 11:
                    node.Cluster.Down(other.Address);
                    break;
            }
        }

        private void Heal()
        {
            _trace.AppendLine($"{_world.Elapsed.TotalSeconds:F3} all heals: {_world}");
            _world.Network.Heal();
            _world.Network.DropProbability = 0;
            foreach (var node in _world.Nodes.Where(node => node.System is null)) node.Start();
        }

        private void Watch(int milliseconds)
        {
            for (; milliseconds > 0; milliseconds -= 20)
            {
                _world.Advance(Math.Min(20, milliseconds));
                var authorities = new HashSet<object>();
                foreach (var node in _world.Nodes)
                {
                    if (node.IsRunning && node.Cluster.Membership.View is { } view && view.Authority.Equals(node.Self))
                        Assert.True(authorities.Add(view.Id), $"two authorities over {view.Id}");
                }
            }
        }

        /// <summary>All are in one cluster; only learners may lead clusters apart.</summary>
        private bool IsSettled()
        {
            if (!_world.Nodes.All(node => node.IsRunning && node.Cluster.IsUp)) return false;
            var clusters = _world.Nodes.GroupBy(node => node.Cluster.Membership.View.Id).ToList();
            return clusters.All(cluster => ClusterWorld.AllAgree([.. cluster]))
                && (clusters.Count == 1 || clusters.All(cluster => cluster.First().Cluster.State.RoleLeader("learner") is not null))
                && clusters.All(cluster => cluster.First().Cluster.State is var state
                    && (state.RoleLeader("learner") is not { } learner || learner == state.Leader));
        }
    }
}

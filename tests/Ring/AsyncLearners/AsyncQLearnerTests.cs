using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Ring.Tests;

public sealed class AsyncQLearnerTests
{
    private const int Steps = 5, Actions = 2;
    private const double Discount = 0.9;

    private static readonly ActionValueNetwork Network =
        ActionValueNetwork.Create(new NetworkOptions { Hidden = [] }, TwoStates.SharedSpec.Observation, Actions);

    private readonly TwoStates _environment = new();
    private readonly SharedParameters _shared;
    private readonly float[] _target;
    private readonly LearnerLog _log = new();

    public AsyncQLearnerTests()
    {
        var random = RandomStream.Create(3, StreamRole.Initialization);
        var (parameters, target) = (new float[Network.Layout.Count], new float[Network.Layout.Count]);
        Network.Initialize(target, ref random);
        Network.Initialize(parameters, ref random);
        _shared = new SharedParameters(parameters, new SharedParametersOptions());
        _target = target;
    }

    [Theory]
    [InlineData(ActionValueMethod.OneStepQ)]
    [InlineData(ActionValueMethod.NStepQ)]
    [InlineData(ActionValueMethod.Sarsa)]
    public void Gradients_are_finite_differences_of_the_stated_loss(ActionValueMethod method)
    {
        var learner = Learner(method);
        var gradients = new List<float[]>();
        for (var segment = 0; segment < 7; segment++)
        {
            learner.AddGradient();
            gradients.Add(learner.Local.Gradient.ToArray());
            learner.Local.Gradient.Clear();
        }
        var moves = _environment.Moves;
        Assert.Contains(moves, move => move.Truncated);
        for (var segment = 0; segment < 6; segment++)
        {
            var first = segment * Steps;
            // What Sarsa would have done after a limit is drawn and not taken: where both actions were possible it cannot be checked.
            if (method == ActionValueMethod.Sarsa && moves.Skip(first).Take(Steps).Any(move => move.Truncated)) continue;
            var targets = Targets(method, moves, first);
            for (var i = 0; i < Network.Layout.Count; i++)
                Assert.Equal(Slope(i, parameters => Loss(parameters, moves, first, targets)), gradients[segment][i], 1e-3);
        }
    }

    [Fact]
    public void Sarsa_learns_from_the_action_that_is_then_taken()
    {
        // One step a segment, so that each target needs the next segment's action.
        var learner = Learner(ActionValueMethod.Sarsa, steps: 1);
        var (moves, checkedMoves) = (_environment.Moves, 0);
        var errors = new List<float>();
        for (var i = 0; i < 200; i++)
        {
            learner.AddGradient();
            errors.Add(Network.Layout.Slice(learner.Local.Gradient, "q.bias")[moves[i].Action]);
            learner.Local.Gradient.Clear();
        }
        for (var i = 0; i < 199; i++)
        {
            if (moves[i].Terminated || moves[i].Truncated) continue;
            var y = moves[i].Reward + Discount * Q(_target, moves[i].Next, moves[i + 1].Action);
            Assert.Equal(Q(_shared.Values.ToArray(), moves[i].State, moves[i].Action) - y, errors[i], 1e-4);
            checkedMoves++;
        }
        Assert.True(checkedMoves > 100);
    }

    [Fact]
    public void Final_exploration_has_the_papers_distribution()
    {
        var counts = new Dictionary<float, int> { [0.1f] = 0, [0.01f] = 0, [0.5f] = 0 };
        for (var i = 0; i < 10_000; i++)
        {
            var random = RandomStream.Create(5, StreamRole.Policy, (uint)i);
            counts[Exploration.DrawFinal(ref random)]++;
        }
        // Standard deviations are 49, 46 and 46.
        Assert.InRange(counts[0.1f], 3800, 4200);
        Assert.InRange(counts[0.01f], 2800, 3200);
        Assert.InRange(counts[0.5f], 2800, 3200);
    }

    [Fact]
    public void Exploration_falls_from_one_to_its_end_and_chooses_any_action_so_often()
    {
        Assert.Equal(1, Exploration.At(0.1f, 0, 1000));
        Assert.Equal(0.55f, Exploration.At(0.1f, 500, 1000), 1e-6f);
        Assert.Equal(0.1f, Exploration.At(0.1f, 5000, 1000), 1e-6f);
        var random = RandomStream.Create(5, StreamRole.Policy);
        var chosen = new int[20_000];
        Exploration.Choose([.. Enumerable.Range(0, 3 * chosen.Length).Select(i => i % 3 == 1 ? 1f : 0f)], 0.3f, ref random, chosen);
        // 0.8 of them the best one, standard deviation 57.
        Assert.InRange(chosen.Count(action => action == 1), 15_700, 16_300);
        Assert.InRange(chosen.Count(action => action == 2), 1800, 2200);
    }

    [Fact]
    public void A_learner_refreshes_the_target_when_its_frames_cross_the_interval()
    {
        var target = new TargetParameters(_shared, 2 * Steps);
        var learner = Learner(ActionValueMethod.OneStepQ, target: target);
        var refreshes = new List<long>();
        for (var i = 0; i < 4; i++)
        {
            learner.RunSegment();
            refreshes.Add(target.Refreshes);
        }
        Assert.Equal([0, 1, 1, 2], refreshes);
        Assert.Equal(_shared.Values, target.Values);
    }

    [Fact]
    public void A2C_is_not_for_action_values()
    {
        var group = new LearnerGroup([Learner(ActionValueMethod.NStepQ)], _log);
        var options = new AsyncQOptions { Update = new SharedParametersOptions { Rule = UpdateRule.SharedRmsProp } };
        Assert.Throws<ArgumentException>(() => new A2cUpdate([group], options, _shared, 1000, SequentialRunner.Instance));
    }

    private AsyncQLearner Learner(ActionValueMethod method, int steps = Steps, TargetParameters? target = null)
    {
        var options = new AsyncQOptions { Method = method, SegmentLength = steps, Discount = (float)Discount, ExplorationFrames = 1_000_000 };
        var place = new LearnerPlace(0, 0, 1, 1000, _shared, _shared.CreateLocal(), _log);
        target ??= new TargetParameters(new SharedParameters(_target, new SharedParametersOptions()), 1_000_000);
        return new AsyncQLearner(place, new AsyncQMemory(Network, options), target, _environment);
    }

    private double[] Targets(ActionValueMethod method, List<TwoStates.Move> moves, int first)
    {
        var targets = new double[Steps];
        for (var t = Steps - 1; t >= 0; t--)
        {
            var move = moves[first + t];
            var following = move.Terminated ? 0
                : method == ActionValueMethod.Sarsa ? Q(_target, move.Next, moves[first + t + 1].Action)
                : method == ActionValueMethod.NStepQ && !move.Truncated && t < Steps - 1 ? targets[t + 1]
                : Math.Max(Q(_target, move.Next, 0), Q(_target, move.Next, 1));
            targets[t] = move.Reward + Discount * following;
        }
        return targets;
    }

    private static double Loss(float[] parameters, List<TwoStates.Move> moves, int first, double[] targets) =>
        targets.Select((y, t) => 0.5 * Math.Pow(y - Q(parameters, moves[first + t].State, moves[first + t].Action), 2)).Sum();

    private static double Q(float[] parameters, int state, int action) =>
        (double)Network.Layout.Read(parameters, "q.weight")[state * Actions + action] + Network.Layout.Read(parameters, "q.bias")[action];

    private double Slope(int i, Func<float[], double> loss)
    {
        var (lower, higher) = (_shared.Values.ToArray(), _shared.Values.ToArray());
        lower[i] -= 1f / 512;
        higher[i] += 1f / 512;
        return (loss(higher) - loss(lower)) / ((double)higher[i] - lower[i]);
    }
}

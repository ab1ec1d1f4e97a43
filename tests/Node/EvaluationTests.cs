using System.Text.Json;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Evaluation;
using static Rl.Distributed.Node.Tests.CommandRun;

namespace Rl.Distributed.Node.Tests;

public sealed class EvaluationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(100)]
    public async Task Exactly_as_many_episodes_are_counted_as_were_asked_for(int episodes)
    {
        var run = await RunAsync("eval", await AgentAsync("impala-catch"), "--episodes", $"{episodes}", "--sample", "--json");
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(["episodes", "meanReturn", "stdReturn"], json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(episodes, json.RootElement.GetProperty("episodes").GetInt32());
        Assert.InRange(json.RootElement.GetProperty("meanReturn").GetDouble(), -1, 1);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_result_and_another_seed_another()
    {
        var path = await AgentAsync("impala-cartpole");
        var first = await RunAsync("eval", path, "--episodes", "20", "--sample", "--seed", "1");
        var again = await RunAsync("eval", path, "--episodes", "20", "--sample", "--seed", "1");
        var other = await RunAsync("eval", path, "--episodes", "20", "--sample", "--seed", "2");
        Assert.Equal(first.Output, again.Output);
        Assert.NotEqual(first.Output, other.Output);
    }

    [Fact]
    public async Task A_checkpoint_file_alone_is_enough()
    {
        var path = await AgentAsync("impala-catch");
        var file = Directory.GetFiles(Path.Combine(path, "checkpoints"))[0];
        File.Delete(Path.Combine(path, "config.yaml"));
        Assert.Equal(0, (await RunAsync("eval", file, "--episodes", "2")).ExitCode);
    }

    [Fact]
    public async Task A_file_that_is_no_checkpoint_fails_in_one_line()
    {
        File.WriteAllText(_directory.File("x.safetensors"), "hello, this is not one");
        var run = await RunAsync("eval", _directory.File("x.safetensors"));
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("rl: Not a usable checkpoint: ", run.Error);
    }

    [Fact]
    public void Short_episodes_are_not_favoured()
    {
        // Environment 0 has episodes of 1 step and return 1; environment 1 of 50 steps and return 50. Each counts two of four.
        var player = Player(new FixedLengths(1, 50));
        Assert.Equal(25.5, Evaluator.Run(player, 4, 1000, CancellationToken.None).MeanReturn);
    }

    [Fact]
    public void An_endless_episode_is_cut_short_and_told()
    {
        var result = Evaluator.Run(Player(new FixedLengths(int.MaxValue, 10)), 2, 100, CancellationToken.None);
        Assert.Equal((2, 55.0, 1), (result.Episodes, result.MeanReturn, result.CutShort));
    }

    [Fact]
    public async Task Play_prints_plain_frames_where_there_is_no_terminal()
    {
        var run = await RunAsync("play", await AgentAsync("impala-catch"), "--episodes", "2");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("catch  episode 2  step 8", run.Output);
        Assert.Contains("episode 2: return ", run.Output);
        Assert.DoesNotContain("\e", run.Output, StringComparison.Ordinal);
    }

    private Task<string> AgentAsync(string preset) => UntrainedRun.CreateAsync(_directory.File("run"), preset);

    private static AgentPlayer Player(IEnvironmentBatch environments)
    {
        var network = PolicyValueNetwork.Create(new NetworkOptions(), environments.Spec.Observation, environments.Spec.DiscreteActions);
        return new AgentPlayer(environments, network, new float[network.Layout.Count], RandomStream.Create(1, StreamRole.EvaluationPolicy), sample: false);
    }

    /// <summary>Each environment's episodes have a fixed number of steps; every step gives 1.</summary>
    private sealed class FixedLengths(params int[] lengths) : IEnvironmentBatch
    {
        private readonly int[] _steps = new int[lengths.Length];

        public EnvironmentSpec Spec { get; } = new("fixed", new ObservationSpec(ElementType.Float32, 1), new DiscreteActionSpec(2));

        public int Count => lengths.Length;

        public void Reset(Span<byte> observations) => observations.Clear();

        public void Step(ReadOnlySpan<int> actions, in StepResults results)
        {
            results.Rewards.Fill(1);
            results.Truncated.Clear();
            for (var i = 0; i < lengths.Length; i++)
            {
                results.Terminated[i] = ++_steps[i] == lengths[i];
                if (results.Terminated[i]) _steps[i] = 0;
            }
        }

        public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

        public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);
    }
}

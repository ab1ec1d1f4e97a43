using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Environments.Traces;

namespace Rl.Distributed.Core.Tests.Environments;

/// <summary>Tasks with a continuous action take the same path: batch, contract, registry, traces.</summary>
public class ContinuousTests
{
    private static readonly EnvironmentRegistry Registry = new(ControlFamily.Entry<Glider, float>());

    [Fact]
    public void A_continuous_task_keeps_the_contract()
    {
        var checks = EnvironmentContract.Check(new EnvironmentOptions { Name = "glider" }, Registry);
        Assert.True(checks.All(check => check.Passed), string.Join('\n', checks));
    }

    [Fact]
    public void An_action_that_is_not_a_number_is_refused()
    {
        var batch = Registry.Create(new EnvironmentOptions { Name = "glider" }, 2, default);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Step((ReadOnlySpan<float>)[0, float.NaN], new StepResults
        {
            Observations = new byte[8], FinalObservations = new byte[8],
            Rewards = new float[2], Terminated = new bool[2], Truncated = new bool[2],
        }));
    }

    [Theory]
    [InlineData("pendulum", float.NaN)]
    [InlineData("pendulum", float.PositiveInfinity)]
    [InlineData("mountaincarcontinuous", float.NaN)]
    [InlineData("mountaincarcontinuous", float.NegativeInfinity)]
    public void A_refused_action_has_moved_nothing(string name, float bad)
    {
        var (play, twin) = (Play.Of(new EnvironmentOptions { Name = name }, 3), Play.Of(new EnvironmentOptions { Name = name }, 3));
        play.Forces[2] = bad;
        var error = Assert.Throws<ArgumentOutOfRangeException>(play.Step);
        Assert.Contains($"'{name}' must be finite; the one at index 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(twin.Observations, play.Observations);
        play.Forces[2] = 0;
        play.Step();
        twin.Step();
        Assert.Equal(twin.Observations, play.Observations);
        Assert.Equal(twin.Rewards, play.Rewards);
    }

    [Theory]
    [InlineData("pendulum", 2)]
    [InlineData("mountaincarcontinuous", 1)]
    public void Bounds_are_those_of_Gymnasium(string name, float bound)
    {
        var action = Assert.IsType<ContinuousActionSpec>(EnvironmentRegistry.Default.Spec(new EnvironmentOptions { Name = name }).Action);
        Assert.Equal([-bound], action.Low);
        Assert.Equal([bound], action.High);
    }

    [Theory]
    [InlineData("0.25", true)]
    [InlineData("[0.25]", true)]
    [InlineData("0.5", false)]
    [InlineData("[0.25,0.25]", false)]
    public void A_trace_with_continuous_actions_replays(string action, bool passes)
    {
        var trace = $$"""
            {"format":"classic-trace-1","env":"Glider-v0","max_episode_steps":20}
            {"reset":1,"state":[0.5],"obs":[0.5]}
            {"a":{{action}},"state":[0.75],"obs":[0.75],"r":-0.25,"term":0,"trunc":0}
            """;
        var report = TraceChecker.Check(new StringReader(trace), registry: Registry);
        Assert.Equal(passes, report.Passed);
        Assert.StartsWith(passes ? "1 steps" : "line 3", report.Message, StringComparison.Ordinal);
    }

    /// <summary>Moves by its action; the episode ends at 1, and every step costs the size of the action.</summary>
    private struct Glider : IControlTask<Glider, float>
    {
        private double _place;

        public static string Name => "glider";

        public static string GymnasiumName => "Glider-v0";

        public static string Description => "Glides.";

        public static int Limit => 20;

        public static int Observations => 1;

        public static ActionSpec Action { get; } = new ContinuousActionSpec([-1f], [1f]);

        public static int StateSize => 1;

        public static double Tolerance => 1e-12;

        public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => _place = draws.Double() / 2;

        public Outcome Step(float action)
        {
            _place += action;
            return new Outcome(-Math.Abs(action), Terminated: _place >= 1);
        }

        public readonly void Observe(Span<float> observation) => observation[0] = (float)_place;

        public readonly void Render(TextCanvas canvas)
        {
            canvas.Clear(9, 1);
            canvas.Put(4, 0, '^');
        }

        public readonly void Save(Span<double> state) => state[0] = _place;

        public void Load(ReadOnlySpan<double> state) => _place = state[0];
    }
}

using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Environments;
using static Rl.Distributed.Node.Tests.CommandRun;

namespace Rl.Distributed.Node.Tests.Environments;

/// <summary>Environments of a user: this assembly is named as one would name one's own.</summary>
public class PluginTests
{
    private static readonly string Dll = typeof(PluginTests).Assembly.Location;
    private static readonly EnvironmentRegistry Registry = KnownEnvironments.All;

    public static TheoryData<string> Sound => new("Guess", "GuessBatch", "GuessWithOptions", "GuessWithLives", "Steer", "Flags");

    [Theory]
    [MemberData(nameof(Sound))]
    public void A_sound_environment_keeps_the_contract(string type)
    {
        var checks = EnvironmentContract.Check(new EnvironmentOptions { Name = NameOf(type) }, Registry, steps: 300);
        Assert.True(checks.All(check => check.Passed), string.Join('\n', checks));
    }

    [Theory]
    [InlineData("GuessNaN", "GuessNaN': Step wrote NaN into element 2 of the observation of copy 0 at step 7")]
    [InlineData("GuessInfinity", "GuessInfinity': Step gave copy 0 the reward Infinity at step 1: rewards must be finite")]
    [InlineData("GuessThrows", "Step of copy 0, after 7 steps of its episode, threw InvalidOperationException: the dice fell off the table")]
    [InlineData("GuessThrows", "OwnEnvironments.cs:line ")]
    [InlineData("GuessThrowsAtReset", "Reset of copy 0, after 0 steps of its episode, threw InvalidOperationException: no dice")]
    [InlineData("GuessTooLong", "threw IndexOutOfRangeException")]
    [InlineData("GuessWrongView", "Bytes was written, but the spec says that observations are Float32[3]: write Floats, or say ElementType.UInt8 in the spec.")]
    [InlineData("GuessBatchThrows", "Step, at step 1 of the batch, threw InvalidOperationException: out of dice")]
    public void What_goes_wrong_at_play_names_the_environment_the_copy_and_the_step(string type, string expected) =>
        Assert.Contains(expected, Assert.Throws<EnvironmentException>(() => Play(NameOf(type), 30)).Message);

    [Theory]
    [InlineData("GuessNoSpec", "Spec is null: return a new EnvironmentSpec.")]
    [InlineData("GuessNoActions", "Spec has 0 actions: give DiscreteActionSpec 1 to 65536.")]
    [InlineData("GuessNegativeShape", "shape ('-1') must be a non-negative and non-zero value")]
    [InlineData("GuessTooLarge", "An observation may have 16777216 elements; the shape [100000, 100000] has more.")]
    [InlineData("GuessOtherKind", "its Spec has a ContinuousActionSpec, so it must implement IContinuousEnvironment.")]
    [InlineData("GuessUnlike", "every copy needs the same")]
    [InlineData("GuessNotMade", "the constructor threw InvalidOperationException: there is no table")]
    [InlineData("GuessWithArgument", "GuessWithArgument needs a public constructor without parameters, or with (EnvironmentOptions options).")]
    [InlineData("GuessHidden", "GuessHidden needs a public constructor")]
    [InlineData("GuessAbstract", "GuessAbstract is abstract: name a class that derives from it.")]
    [InlineData("GuessStepless", "which has no Step: implement IDiscreteEnvironment or IContinuousEnvironment.")]
    [InlineData("PluginTests", "PluginTests is no environment: implement IDiscreteEnvironment")]
    [InlineData("GuessBatchOneMore", "Count is 4, but 3 copies were asked for")]
    [InlineData("Gues", "has no type 'Rl.Distributed.Node.Tests.Environments.Gues'; did you mean 'Rl.Distributed.Node.Tests.Environments.Guess'?")]
    public void What_cannot_be_made_says_what_its_author_has_to_do(string type, string expected)
    {
        var error = Assert.Throws<EnvironmentException>(() => Play(NameOf(type), 1));
        Assert.Contains(expected, error.Message);
        Assert.Contains(NameOf(type), error.Message);
    }

    [Theory]
    [InlineData("GuessUnrepeatable", "the same seed")]
    [InlineData("GuessAllocates", "allocates nothing")]
    [InlineData("GuessInfinity", "finite")]
    public void The_contract_s_checks_find_a_fault(string type, string check) => Assert.Contains(
        EnvironmentContract.Check(new EnvironmentOptions { Name = NameOf(type) }, Registry, steps: 100),
        found => !found.Passed && found.Name.Contains(check, StringComparison.Ordinal));

    [Fact]
    public void Without_its_namespace_a_type_is_guessed_and_without_a_type_all_are_listed()
    {
        Assert.Contains("did you mean 'Rl.Distributed.Node.Tests.Environments.Guess'?", Refusal($"{Dll}:Guess"));
        var several = Refusal(Dll);
        Assert.Contains("has several environments; name one: ", several);
        Assert.Contains($"{Dll}:Rl.Distributed.Node.Tests.Environments.Steer", several);
    }

    [Fact]
    public void Options_reach_a_constructor_that_asks_for_them_and_no_other()
    {
        var options = new EnvironmentOptions { Name = NameOf("GuessWithOptions"), MinimalActions = true };
        Assert.Equal(3, Registry.Spec(options).DiscreteActions);
        Assert.Equal(4, Registry.Spec(options with { MinimalActions = false }).DiscreteActions);
        Assert.Throws<ArgumentException>(() => Registry.Spec(options with { Name = NameOf("Guess") }));
    }

    [Theory]
    [InlineData("Guess")]
    [InlineData("GuessWithOptions")]
    public void What_is_done_around_any_environment_is_done_around_ones_own(string type)
    {
        var options = new EnvironmentOptions { Name = NameOf(type), FrameStack = 4 };
        Assert.Equal([12], Registry.Spec(options).Observation.Shape);
        Assert.Equal([12], Registry.Create(options with { TimeLimit = 3 }, 2, default).Spec.Observation.Shape);
        Assert.Contains("has no lives", Assert.Throws<ArgumentException>(() => Registry.Spec(options with { LifeLoss = LifeLoss.Reset })).Message);
    }

    [Fact]
    public void Ones_own_environment_may_have_lives_to_lose()
    {
        var options = new EnvironmentOptions { Name = NameOf("GuessWithLives"), LifeLoss = LifeLoss.Reset };
        var batch = Registry.Create(options, 1, RandomStream.Create(1, StreamRole.Environment));
        var (bytes, notes, terminated, ends) = (new byte[12], new StepNotes[1], new bool[1], new List<StepNotes>());
        batch.Reset(bytes);
        for (var step = 0; step < 100; step++)
        {
            notes[0] = StepNotes.None;
            batch.Step([0], new StepResults
            {
                Observations = bytes, FinalObservations = new byte[12], Rewards = new float[1], Terminated = terminated, Truncated = new bool[1],
                Notes = notes,
            });
            if (terminated[0]) ends.Add(notes[0]);
        }
        Assert.Equal([StepNotes.GameGoesOn, StepNotes.None, StepNotes.GameGoesOn, StepNotes.None], ends[..4]);
    }

    [Fact]
    public void A_plug_in_that_is_loaded_does_not_need_its_file_any_more()
    {
        var folder = Directory.CreateTempSubdirectory("rl-tests-");
        var path = Path.Combine(folder.FullName, "Copy.dll");
        File.Copy(Dll, path);
        var name = $"{path}:Rl.Distributed.Node.Tests.Environments.Guess";
        var identity = Registry.Describe(name).Identity;
        folder.Delete(recursive: true);
        Assert.Equal(identity, Registry.Describe(name).Identity);
    }

    [Fact]
    public void A_plug_in_is_loaded_once_and_apart_from_the_program()
    {
        var (one, other) = (Registry.Find(NameOf("Guess"))!, Registry.Find(NameOf("Steer"))!);
        Assert.Equal(one.Identity.Split("build ")[1], other.Identity.Split("build ")[1]);
        using var batch = (CheckedBatch)Registry.Create(new EnvironmentOptions { Name = one.Name }, 1, default);
        Assert.Equal(new Guess().Spec, batch.Spec);
    }

    [Fact]
    public async Task Checking_prints_a_report_and_fails_where_a_check_does()
    {
        var sound = await RunAsync("check-env", NameOf("Guess"), "--episodes", "100");
        Assert.True(sound.ExitCode == 0, sound.Error);
        Assert.Contains("observation  Float32[3], 12 bytes", sound.Output);
        Assert.Contains("random play  return ", sound.Output);
        Assert.Contains(", length 20, ", sound.Output);
        var faulty = await RunAsync("check-env", NameOf("GuessAllocates"));
        Assert.Equal(1, faulty.ExitCode);
        Assert.Contains("FAIL stepping allocates nothing", faulty.Output);
        Assert.Contains("1 check failed", faulty.Error);
    }

    [Theory]
    [InlineData("--set", "environment.minimalActions=true", 0)]
    [InlineData("--set", "environment.minimalAction=true", 2)]
    [InlineData("--set", "learner.batch=3", 2)]
    public async Task Checking_takes_the_environment_s_options(string option, string value, int expected)
    {
        var run = await RunAsync("check-env", NameOf("GuessWithOptions"), option, value);
        Assert.True(expected == run.ExitCode, run.Error);
        if (expected == 0) Assert.Contains("actions      3", run.Output);
    }

    [Fact]
    public async Task Training_on_continuous_actions_is_refused_by_name()
    {
        var run = await RunAsync("train", "impala-catch", "--env", NameOf("Steer"));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("Environment 'steer' has continuous actions; this algorithm needs discrete ones.", run.Error);
    }

    private static string NameOf(string type) => $"{Dll}:Rl.Distributed.Node.Tests.Environments.{type}";

    private static string Refusal(string name) => Assert.Throws<EnvironmentException>(() => Registry.Find(name)).Message;

    private static void Play(string name, int steps)
    {
        const int Count = 3;
        var batch = Registry.Create(new EnvironmentOptions { Name = name }, Count, RandomStream.Create(1, StreamRole.Environment));
        var bytes = new byte[Count * batch.Spec.Observation.ByteCount];
        batch.Reset(bytes);
        var results = new StepResults
        {
            Observations = bytes, FinalObservations = new byte[bytes.Length], Rewards = new float[Count], Terminated = new bool[Count], Truncated = new bool[Count],
        };
        for (var step = 0; step < steps; step++) batch.Step(new int[Count], results);
    }
}

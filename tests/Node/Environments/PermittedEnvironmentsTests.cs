using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Environments;
using static Rl.Distributed.Node.Tests.CommandRun;

namespace Rl.Distributed.Node.Tests.Environments;

/// <summary>What a run that another node leads may make this node load.</summary>
public class PermittedEnvironmentsTests
{
    private const string Type = "Rl.Distributed.Node.Tests.Environments.Guess";
    private static readonly string Dll = typeof(PluginTests).Assembly.Location;
    private static readonly string File = Path.GetFileName(Dll);

    [Fact]
    public void A_plug_in_that_the_command_line_does_not_name_is_not_loaded()
    {
        var message = Assert.Throws<EnvironmentException>(() => KnownEnvironments.Foreign().Find($"{Dll}:{Type}")).Message;
        Assert.Contains($"this node loads no code that its own command line does not name: start it with --env PATH/{File}:{Type}", message);
    }

    [Fact]
    public void One_that_it_names_is_loaded_from_there_wherever_the_learner_s_is()
    {
        var registry = KnownEnvironments.Foreign($"{Dll}:{Type}");
        Assert.Equal($"{Dll}:{Type}", registry.Find($"/elsewhere/{File}:{Type}")!.Name);
        Assert.Equal($"{Dll}:{Type}", registry.Find($@"C:\games\{File}:{Type}")!.Name);
        Assert.Throws<EnvironmentException>(() => registry.Find($"{Dll}:{Type}Batch"));
        Assert.Throws<EnvironmentException>(() => registry.Find($"/elsewhere/Other.dll:{Type}"));
    }

    [Fact]
    public void Those_that_come_with_the_program_need_no_permission() => Assert.NotNull(KnownEnvironments.Foreign().Find("catch"));

    [Fact]
    public async Task A_node_whose_own_command_line_names_what_is_not_there_does_not_start()
    {
        var run = await RunAsync("node", "--join", "127.0.0.1:1", "--env", "catch", "--env", "nowhere/My.dll:A.B");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--env: 'nowhere/My.dll:A.B': there is no file", run.Error);
    }

    [Fact]
    public async Task A_run_has_one_environment()
    {
        var run = await RunAsync("train", "impala-catch", "--env", "catch", "--env", "cartpole");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("a run has one environment", run.Error);
    }
}

using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Tests;

/// <summary>What a command did.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs a command within this process, with redirected streams.</summary>
    public static Task<CommandRun> RunAsync(params string[] args) => RunAsync(FakeTraining.Finish, args);

    public static Task<CommandRun> RunAsync(TrainingRunner train, params string[] args) => RunAsync(train, CancellationToken.None, args);

    public static async Task<CommandRun> RunAsync(TrainingRunner train, CancellationToken cancellationToken, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var host = new CommandHost { Output = output, Error = error, Train = train };
        var exitCode = await CommandLine.RunAsync(args, host, cancellationToken);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}

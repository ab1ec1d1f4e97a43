using System.Collections.Concurrent;
using System.Diagnostics;

namespace Rl.Distributed.Processes.Tests;

/// <summary>Starts processes that do not outlive this one, even if it is killed.</summary>
/// <remarks>Linux kills a child when the thread that started it ends: so one thread starts them all, and stays.</remarks>
internal static class Launcher
{
    private const string Tool = "/usr/bin/setpriv";

    private static readonly BlockingCollection<Action> Work = [];

    static Launcher() => new Thread(() =>
    {
        foreach (var work in Work.GetConsumingEnumerable()) work();
    }) { IsBackground = true, Name = "launcher" }.Start();

    /// <summary>Starts a command with redirected streams.</summary>
    public static Task<Process> StartAsync(IReadOnlyList<string> command, IReadOnlyDictionary<string, string?> environment)
    {
        var line = OperatingSystem.IsLinux() && File.Exists(Tool) ? (string[])[Tool, "--pdeathsig", "KILL", "--", .. command] : [.. command];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    /// <summary>Runs a command to its end.</summary>
    /// <returns>Its exit code, and what it wrote; -1 where there is no such program.</returns>
    public static async Task<(int ExitCode, string Text)> RunAsync(params string[] command)
    {
        try
        {
            using var process = await StartAsync(command, new Dictionary<string, string?>());
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode, await output + await error);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}

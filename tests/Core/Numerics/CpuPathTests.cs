using System.Diagnostics;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Numerics;

/// <summary>Runs the kernels' tests once more in processes whose runtime leaves out instructions that the CPU has.</summary>
public sealed class CpuPathTests
{
    /// <summary>Tells a child of <see cref="Kernels_pass_their_tests_on_every_narrower_path"/> which path it must be on.</summary>
    private const string Expected = "RL_TEST_CPU_PATH";

    [Fact]
    public void The_runtime_settings_choose_the_path()
    {
        var expected = Environment.GetEnvironmentVariable(Expected);
        if (expected is { Length: > 0 }) Assert.Equal(expected, CpuPaths.Current.ToString());
        Assert.True(CpuPaths.IsSupported(CpuPaths.Current));
        Assert.True(CpuPaths.IsSupported(CpuPath.Scalar));
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", CpuPath.Avx2)]
    [InlineData("DOTNET_EnableAVX2", CpuPath.Portable)]
    [InlineData("DOTNET_EnableHWIntrinsic", CpuPath.Scalar)]
    public async Task Kernels_pass_their_tests_on_every_narrower_path(string setting, CpuPath path)
    {
        if (Environment.GetEnvironmentVariable(Expected) is { Length: > 0 } || !CpuPaths.IsSupported(path)) return;
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(CpuPathTests).Assembly.Location);
        start.ArgumentList.Add("--filter-namespace");
        start.ArgumentList.Add(typeof(CpuPathTests).Namespace!);
        start.Environment[setting] = "0";
        start.Environment[Expected] = path.ToString();
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        Assert.True(child.ExitCode == 0, $"{setting}=0: exit code {child.ExitCode}\n{output}\n{await errors}");
    }
}

using System.Collections.Immutable;
using System.Diagnostics;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>The Python of this machine: tests are skipped, with the reason, where it lacks what they need.</summary>
internal static class PythonHere
{
    private static readonly Lazy<string?> AnyPython = new(() => First("pass")), WithNumpy = new(() => First("import numpy")),
        WithGymnasium = new(() => First("import numpy, gymnasium; gymnasium.make('CartPole-v1')"));

    /// <summary>A Python of any kind.</summary>
    public static string Any => AnyPython.Value ?? Skip("there is no python3.");

    /// <summary>One with numpy.</summary>
    public static string Numpy => WithNumpy.Value ?? Skip("no python3 here has numpy: the bridge to Gymnasium is not tested.");

    /// <summary>One with the real Gymnasium.</summary>
    public static string Gymnasium => WithGymnasium.Value ?? Skip("no python3 here has gymnasium: only the stand-in is tested.");

    private static string Skip(string reason)
    {
        Assert.Skip(reason);
        return "";
    }

    private static string? First(string code)
    {
        string?[] candidates = [Environment.GetEnvironmentVariable(PythonHost.Variable), "python3", "/usr/bin/python3"];
        return candidates.FirstOrDefault(python => !string.IsNullOrEmpty(python) && Runs(python, code));
    }

    private static bool Runs(string python, string code)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(python, ["-c", code]) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>A folder with modules that stand in for Python's packages.</summary>
internal sealed class StandIn : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rl-tests-").FullName;

    /// <param name="modules">Name and text of each; none for the stand-in of Gymnasium.</param>
    public StandIn(params (string Name, string Text)[] modules)
    {
        if (modules.Length == 0) modules = [("gymnasium", Resource("gymnasium.py")), ("ale_py", "")];
        foreach (var (name, text) in modules) File.WriteAllText(Path.Combine(_folder, $"{name}.py"), text);
    }

    /// <summary>What the stand-in was asked to write down.</summary>
    public string Log => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";

    public PythonHost Host(string python) => new(python, ImmutableDictionary<string, string>.Empty
        .Add("PYTHONPATH", _folder).Add("STANDIN_LOG", LogPath).Add("PYTHONDONTWRITEBYTECODE", "1"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string LogPath => Path.Combine(_folder, "log.txt");

    public static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(StandIn).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

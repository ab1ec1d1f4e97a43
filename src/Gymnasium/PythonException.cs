using System.ComponentModel;
using System.Net.Sockets;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium;

/// <summary>Something that a Python process could not do.</summary>
/// <param name="what">What happened, as a sentence.</param>
/// <param name="cure">What to do about it, as a sentence; empty where nobody can tell.</param>
/// <param name="details">The traceback, and what the process wrote to its standard error; may be empty.</param>
internal sealed class PythonException(string what, string cure, string details, Exception? inner = null) : Exception(what, inner)
{
    /// <summary>What went wrong between the processes, not in Python; others are to be passed on as they are.</summary>
    public static bool IsOfTheSystem(Exception e) => e is IOException or UnauthorizedAccessException or SocketException or Win32Exception;

    /// <summary>Why something of the system's cannot be had.</summary>
    public static PythonException NoRoom(string what, Exception inner) =>
        new($"{what} cannot be had: {inner.Message.TrimEnd('.')}.", "Make room in /dev/shm, or raise the limit of open files (ulimit -n).", "", inner);

    /// <summary>The same for people, with the environment's name.</summary>
    public EnvironmentException Of(string environment, string before = "", bool isFinal = false) =>
        new($"{environment}: {before}{Message}{(cure.Length > 0 ? $" {cure}" : "")}{(details.Length > 0 ? $"\n{details}" : "")}", this)
        {
            IsFinal = isFinal,
        };

    public string Details => details;

    /// <summary>In one line, without the cure.</summary>
    public string Brief => Message.ReplaceLineEndings(" ");

    /// <summary>What the process's answer to a request refused.</summary>
    /// <param name="kind">As the script names it.</param>
    /// <param name="message">Python's.</param>
    /// <param name="details">Traceback and standard error.</param>
    /// <param name="python">The executable.</param>
    public static PythonException Refused(string kind, string message, string details, string python) => kind switch
    {
        "python" => new($"'{python}' is too old: {message}", $"Name Python 3.8 or later in {PythonHost.Variable}.", details),
        "numpy" => new($"'{python}' has no numpy ({message}).", Install(python, "numpy gymnasium"), details),
        "gymnasium" => new($"'{python}' has no gymnasium ({message}).", Install(python, "gymnasium"), details),
        "ale_py" => new($"'{python}' has no Atari emulator ({message}).", Install(python, "\"gymnasium[atari]\""), details),
        "id" => new(
            $"Gymnasium does not know it: {message}",
            $"`{python} -c \"import gymnasium; gymnasium.pprint_registry()\"` lists the ids; one of another package is written gym:MODULE:ID.",
            details),
        "observation" => new(
            message, "Only Box, Discrete and MultiBinary can be seen: register an id that wraps it in gymnasium.wrappers.FlattenObservation.",
            details),
        "action" => new(message, "Only Discrete actions and Boxes of real numbers can be chosen: register an id that wraps it so.", details),
        "unbounded" => new(message, "Register an id that wraps it in an action space with finite bounds.", details),
        "space" => new(message, "Its spaces must say what it gives.", details),
        _ => new($"it failed: {message}", "", details),
    };

    private static string Install(string python, string packages) =>
        $"`{python} -m pip install {packages}` installs it; or name a Python that has it in {PythonHost.Variable}.";
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium;

/// <summary>The environments of Python's Gymnasium, by their ids: gym:CartPole-v1, gym:ALE/Pong-v5, gym:MODULE:ID.</summary>
/// <remarks>
/// What an id makes is asked of Python once, which takes about a second, and remembered. The process that was asked serves the next batch,
/// if one comes soon. Thread-safe.
/// </remarks>
/// <param name="host">Which Python; null for the process's own.</param>
/// <param name="plainIds">Only ids without a module; others are not its own then. Another node's run must not choose what is imported here.</param>
/// <param name="clock">Null for the system's.</param>
public sealed partial class GymnasiumSource(PythonHost? host = null, bool plainIds = false, TimeProvider? clock = null) : IEnvironmentSource
{
    /// <summary>What names of this source begin with.</summary>
    public const string Prefix = "gym:";

    private static readonly TimeSpan SpareTime = TimeSpan.FromSeconds(30);
    private static readonly ImmutableArray<string> CommonOptions =
    [
        nameof(EnvironmentOptions.Subprocesses), nameof(EnvironmentOptions.TimeoutSeconds), nameof(EnvironmentOptions.Restarts),
        nameof(EnvironmentOptions.StickyActions), nameof(EnvironmentOptions.ActionRepeat), nameof(EnvironmentOptions.TimeLimit),
    ];
    private static readonly ImmutableArray<string> AtariOptions =
    [
        .. CommonOptions, nameof(EnvironmentOptions.MinimalActions), nameof(EnvironmentOptions.FrameSkip), nameof(EnvironmentOptions.NoOpStarts),
    ];

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly ConcurrentDictionary<string, GymnasiumFacts> _known = new(StringComparer.Ordinal);
    private readonly Lock _asking = new();
    private Spare? _spare;

    /// <summary>Raised at each failure that is borne, with what happened, in a line, and its details, in many. It comes from the thread that
    /// stepped.</summary>
    public event Action<string, string>? Failed;

    public string NamePattern => "gym:ID";

    public string Description =>
        "Any environment of Python's Gymnasium, such as gym:CartPole-v1 or gym:ALE/Breakout-v5 (docs/environments/gymnasium.md).";

    public EnvironmentEntry? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!name.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var id = name[Prefix.Length..];
        if (!Id().IsMatch(id))
            throw new EnvironmentException(
                $"'{name}' is no name of a Gymnasium environment: write gym:ID, such as gym:CartPole-v1, or gym:MODULE:ID.");
        if (plainIds && id.Contains(':', StringComparison.Ordinal)) return null;
        var isAtari = GymnasiumRequest.IsAtariId(id);
        return new EnvironmentEntry
        {
            Name = name,
            Description = "An environment of Python's Gymnasium.",
            Spec = options => Facts(new GymnasiumRequest(options), options).Spec,
            Create = (options, count, random) =>
            {
                var request = new GymnasiumRequest(options);
                var facts = Facts(request, options);
                var setup = new GymnasiumSetup(
                    request, facts, Host, () => TakeSpare(request.Key, options.TimeoutSeconds),
                    (what, details) => Failed?.Invoke(what, details), _clock);
                return new GymnasiumBatch(setup, options, count, random);
            },
            Options = isAtari ? AtariOptions : CommonOptions,
            FrameStack = isAtari ? 4 : 1,
            HasLives = isAtari,
            IsSlow = true,
        };
    }

    private PythonHost Host => host ?? PythonHost.Default;

    private GymnasiumFacts Facts(GymnasiumRequest request, EnvironmentOptions options)
    {
        if (_known.TryGetValue(request.Key, out var known)) return known;
        lock (_asking)
        {
            if (_known.TryGetValue(request.Key, out known)) return known;
            PythonProcess? process = null;
            try
            {
                process = new PythonProcess(Host, TimeSpan.FromSeconds(options.TimeoutSeconds));
                process.Connect();
                var facts = GymnasiumFacts.Read(request.Name, request.IsAtari, process.Ask(request.Make));
                Keep(new Spare(request.Key, options.TimeoutSeconds, process));
                return _known[request.Key] = facts;
            }
            catch (PythonException e)
            {
                process?.Dispose();
                throw e.Of(request.Name);
            }
            catch
            {
                process?.Dispose();
                throw;
            }
        }
    }

    private void Keep(Spare spare)
    {
        Interlocked.Exchange(ref _spare, spare)?.Dispose();
        spare.DisposeLater = _clock.CreateTimer(
            _ =>
            {
                if (Interlocked.CompareExchange(ref _spare, null, spare) == spare) spare.Dispose();
            },
            null, SpareTime, Timeout.InfiniteTimeSpan);
    }

    private PythonProcess? TakeSpare(string key, double timeoutSeconds)
    {
        var spare = _spare;
        if (spare is null || spare.Key != key || spare.TimeoutSeconds != timeoutSeconds) return null;
        if (Interlocked.CompareExchange(ref _spare, null, spare) != spare) return null;
        spare.DisposeLater?.Dispose();
        return spare.Process;
    }

    [GeneratedRegex(@"^([\w.-]+:)?[\w./-]+$")]
    private static partial Regex Id();

    private sealed class Spare(string key, double timeoutSeconds, PythonProcess process) : IDisposable
    {
        public string Key => key;

        public double TimeoutSeconds => timeoutSeconds;

        public PythonProcess Process => process;

        public ITimer? DisposeLater { get; set; }

        public void Dispose()
        {
            DisposeLater?.Dispose();
            process.Dispose();
        }
    }
}

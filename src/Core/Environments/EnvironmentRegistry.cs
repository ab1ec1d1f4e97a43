using System.Collections.Immutable;
using System.Reflection;
using Rl.Distributed.Core.Environments.Bsuite;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Environments.Exploration;
using Rl.Distributed.Core.Environments.Memory;
using Rl.Distributed.Core.Environments.MinAtar;
using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Environments.Traces;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>One environment that can be made by name.</summary>
public sealed record EnvironmentEntry
{
    public required string Name { get; init; }

    /// <summary>One sentence for listings.</summary>
    public required string Description { get; init; }

    public required Func<EnvironmentOptions, EnvironmentSpec> Spec { get; init; }

    /// <summary>Makes a batch of that many copies, which take their luck from the stream.</summary>
    public required Func<EnvironmentOptions, int, RandomStream, IEnvironmentBatch> Create { get; init; }

    /// <summary>Which of <see cref="EnvironmentOptions"/>, besides the name, it understands. Those for any environment are applied around
    /// it unless they stand here: then it sees to them itself.</summary>
    public ImmutableArray<string> Options { get; init; } = [];

    /// <summary>Own ranges and defaults of options which are empty unless somebody sets them.</summary>
    public ImmutableArray<OptionRange> Ranges { get; init; } = [];

    /// <summary>Frames of an observation where the options leave it open.</summary>
    public int FrameStack { get; init; } = 1;

    /// <summary>Whether its batches are <see cref="IHasLives"/>.</summary>
    public bool HasLives { get; init; }

    /// <summary>Whether another seed gives other episodes.</summary>
    public Func<EnvironmentOptions, bool> HasLuck { get; init; } = static _ => true;

    /// <summary>Which code it is, where that is not a part of this program: every node of a run must have the same. Else empty.</summary>
    public string Identity { get; init; } = "";

    /// <summary>Whether asking for the spec may take seconds, because another program is asked.</summary>
    public bool IsSlow { get; init; }

    /// <summary>How traces of this environment are replayed; null where no trace format covers it.</summary>
    public TraceReplay? Trace { get; init; }
}

/// <summary>The environments that are known by name. Immutable.</summary>
/// <remarks>A new game is a new file, and a line in <see cref="Default"/>.</remarks>
public sealed class EnvironmentRegistry
{
    // What only some environments understand; the rest is done around any of them.
    private static readonly PropertyInfo[] Particular = [.. typeof(EnvironmentOptions).GetProperties().Where(
        option => option.Name != nameof(EnvironmentOptions.Name) && !Attribute.IsDefined(option, typeof(ForAnyEnvironmentAttribute)))];

    private static readonly EnvironmentOptions Defaults = new();

    private readonly ImmutableArray<EnvironmentEntry> _entries;

    /// <exception cref="ArgumentException">Two entries have one name.</exception>
    public EnvironmentRegistry(params IEnumerable<EnvironmentEntry> entries)
        : this(entries, [])
    {
    }

    /// <param name="entries">Those with a name of their own.</param>
    /// <param name="sources">Those that are looked for where no entry has the name, in this order.</param>
    /// <exception cref="ArgumentException">Two entries have one name.</exception>
    public EnvironmentRegistry(IEnumerable<EnvironmentEntry> entries, ImmutableArray<IEnvironmentSource> sources)
    {
        Sources = sources;
        _entries = [.. entries.OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        for (var i = 1; i < _entries.Length; i++)
            if (_entries[i].Name == _entries[i - 1].Name)
                throw new ArgumentException($"Two environments are called '{_entries[i].Name}'.", nameof(entries));
    }

    /// <summary>The environments that come with the system.</summary>
    public static EnvironmentRegistry Default { get; } = new(
        Catch.Entry,
        MemoryChain<MemoryLength>.Entry,
        MemoryChain<MemorySize>.Entry,
        ControlFamily.Entry<Acrobot, int>(),
        ControlFamily.Entry<CartPole, int>((options, count, random) => new CartPoleBatch(options, count, random)),
        ControlFamily.Entry<MountainCar, int>(),
        ControlFamily.Entry<MountainCarContinuous, float>(),
        ControlFamily.Entry<Pendulum, float>(),
        CartPoleHidden.Entry,
        RepeatPrevious.Entry,
        TMaze.Entry,
        DeepSea.Entry,
        DiscoMaze.Entry,
        MinAtarFamily.Entry<Asterix>(),
        MinAtarFamily.Entry<Breakout>(),
        MinAtarFamily.Entry<Freeway>(),
        MinAtarFamily.Entry<Seaquest>(),
        MinAtarFamily.Entry<SpaceInvaders>(),
        TetrisFamily.Entry);

    public ImmutableArray<IEnvironmentSource> Sources { get; }

    /// <summary>Sorted.</summary>
    public IEnumerable<string> Names => _entries.Select(entry => entry.Name);

    public ImmutableArray<EnvironmentEntry> Entries => _entries;

    /// <exception cref="ArgumentException">No environment has that name; the message suggests one.</exception>
    /// <exception cref="EnvironmentException">The name is of a kind that a source knows, but the source has no such environment.</exception>
    public EnvironmentEntry Describe(string name) =>
        Find(name) ?? throw new ArgumentException(
            $"There is no environment '{name}'{NearestName.Hint(name, Names)} Known are: {string.Join(", ", Kinds)}.", nameof(name));

    /// <summary>Null where no environment has that name.</summary>
    /// <exception cref="EnvironmentException">The name is of a kind that a source knows, but the source has no such environment.</exception>
    public EnvironmentEntry? Find(string name) =>
        _entries.FirstOrDefault(entry => entry.Name == name) ?? Sources.Select(source => source.Find(name)).FirstOrDefault(entry => entry is not null);

    private IEnumerable<string> Kinds => Names.Concat(Sources.Select(source => source.NamePattern));

    /// <summary>The spec of the environment that these options would make.</summary>
    /// <exception cref="ArgumentException">The name is unknown, or an option does not apply or is out of range.</exception>
    public EnvironmentSpec Spec(EnvironmentOptions options) => Wrapping.Spec(Validated(options), options);

    /// <summary>Makes a batch of <paramref name="count"/> copies.</summary>
    /// <exception cref="ArgumentException">The name is unknown, or an option does not apply or is out of range.</exception>
    public IEnvironmentBatch Create(EnvironmentOptions options, int count, RandomStream random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return Wrapping.Create(Validated(options), options, count, random);
    }

    private EnvironmentEntry Validated(EnvironmentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var entry = Describe(options.Name);
        foreach (var option in Particular)
            CheckApplies(options, entry, option.Name, !Equals(option.GetValue(options), option.GetValue(Defaults)));
        Wrapping.Check(entry, options);
        return entry;
    }

    private void CheckApplies(EnvironmentOptions options, EnvironmentEntry entry, string option, bool changed)
    {
        if (!changed || entry.Options.Contains(option)) return;
        var others = _entries.Where(other => other.Options.Contains(option)).Select(other => other.Name).ToList();
        throw new ArgumentException(
            $"'{entry.Name}' has no option {char.ToLowerInvariant(option[0])}{option[1..]}; leave it out. "
            + (others.Count > 0 ? $"These have it: {string.Join(", ", others)}." : "None that comes with the program has it."),
            nameof(options));
    }
}

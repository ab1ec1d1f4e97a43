using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Engines;

/// <summary>A run over several nodes that is to be simulated.</summary>
/// <param name="Config">The run; its seed decides all that happens, workers.count is how many each node has.</param>
/// <param name="Nodes">Nodes that act, beside the one that leads.</param>
/// <param name="Faults">Whether things go wrong, as the seed decides.</param>
/// <param name="Command">The command line that simulates this again.</param>
internal sealed record SimulationRequest(TrainingConfig Config, int Nodes, bool Faults, string Command);

/// <summary>What came out of a simulated run.</summary>
internal sealed record SimulationReport
{
    /// <summary>What happened, a line each, with virtual times.</summary>
    public required IReadOnlyList<string> Timeline { get; init; }

    /// <summary>Which invariant was broken, when, and how to see it again; null: none.</summary>
    public required string? Violation { get; init; }

    public required long Frames { get; init; }

    public required long Updates { get; init; }

    /// <summary>Faults that were injected.</summary>
    public required int Faults { get; init; }

    /// <summary>How often the leading node began, the first time included.</summary>
    public required int LeaderStarts { get; init; }

    /// <summary>What workers send, in the plural.</summary>
    public required string Things { get; init; }

    /// <summary>What became of these.</summary>
    public required string Unrolls { get; init; }

    /// <summary>Virtual time from the start to the end.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Messages that were handled.</summary>
    public required long Messages { get; init; }

    /// <summary>Virtual time of the longest stretch without an update of the weights while no fault lasted.</summary>
    public required TimeSpan LongestPause { get; init; }

    /// <summary>Of the bits of the final weights; equal for equal runs.</summary>
    public required ulong WeightsHash { get; init; }

    /// <summary>Of who handled which type of message, in order; equal for equal runs.</summary>
    public required ulong MessageHash { get; init; }
}

using Rl.Distributed.Actors;

namespace Rl.Distributed.Node.Clustering;

// Between the run's coordinator and the worker hosts of other nodes.

/// <summary>From a worker host to the coordinator: it has room for so many workers. Said again until there is an answer.</summary>
/// <param name="Workers">How many.</param>
/// <param name="Run">The run that its workers worked for before; empty for none.</param>
/// <param name="History">What became of their unrolls: the learner may have gone back to a checkpoint meanwhile.</param>
public sealed record OfferWorkers(int Workers, string Run, WorkerReport[] History);

/// <summary>To a worker host: start these workers.</summary>
/// <param name="Run">The run.</param>
/// <param name="Configuration">Its configuration, as config.yaml has it.</param>
/// <param name="Build">What both nodes' programs must agree on.</param>
/// <param name="Epoch">The run's epoch: the incarnations begin there.</param>
/// <param name="FirstWorker">The first worker's index; indices are used once an epoch.</param>
/// <param name="Workers">How many.</param>
public sealed record WorkAssigned(string Run, string Configuration, BuildFacts Build, int Epoch, int FirstWorker, int Workers);

/// <summary>What a program makes of a configuration. Two that differ here would not understand each other's weights and experience.</summary>
/// <param name="Version">The program's version.</param>
/// <param name="Parameters">How many the network has.</param>
/// <param name="UnrollBytes">Bytes of an unroll.</param>
/// <param name="Environment">Which code the environment is, where it is not a part of the program; else empty.</param>
public sealed record BuildFacts(string Version, int Parameters, long UnrollBytes, string Environment)
{
    public override string ToString() =>
        $"version {Version}, {Parameters} parameters and {UnrollBytes} bytes an unroll{(Environment.Length > 0 ? $", environment {Environment}" : "")}";
}

/// <summary>From a worker host: its workers cannot work, for this reason.</summary>
public sealed record WorkFailed(string Reason);

/// <summary>To a worker host: the run is at its end; stop the workers.</summary>
public sealed record StopWork
{
    public static readonly StopWork Instance = new();
}

/// <summary>From a worker host: they have stopped, and their last reports were sent before this.</summary>
public sealed record WorkStopped
{
    public static readonly WorkStopped Instance = new();
}

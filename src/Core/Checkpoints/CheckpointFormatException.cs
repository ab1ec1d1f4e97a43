namespace Rl.Distributed.Core.Checkpoints;

/// <summary>A file is no usable checkpoint: torn, foreign, of a newer version, or without what was looked for.</summary>
public sealed class CheckpointFormatException(string message, Exception? inner = null) : Exception(message, inner);

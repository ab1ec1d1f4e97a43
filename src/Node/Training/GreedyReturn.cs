namespace Rl.Distributed.Node.Training;

/// <summary>What greedy episodes gave while a run trained.</summary>
/// <param name="Frames">Where the run was when the parameters were taken.</param>
/// <param name="MeanReturn">Undiscounted, unclipped.</param>
/// <param name="StdReturn">Standard deviation of the sample; 0 for one episode.</param>
/// <param name="Episodes">That were played.</param>
public sealed record GreedyReturn(long Frames, double MeanReturn, double StdReturn, int Episodes);

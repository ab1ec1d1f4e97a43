namespace Rl.Distributed.Node.Evaluation;

/// <summary>Returns of evaluated episodes.</summary>
/// <param name="StdReturn">Standard deviation of the sample (n - 1); 0 for one episode.</param>
/// <param name="CutShort">Episodes that were ended at the limit of steps.</param>
internal sealed record EvaluationResult(int Episodes, double MeanReturn, double StdReturn, int CutShort);

/// <summary>Measures a policy over a number of episodes.</summary>
internal static class Evaluator
{
    private const int MaxEnvironments = 32;

    public static int EnvironmentsFor(int episodes) => Math.Min(episodes, MaxEnvironments);

    /// <summary>Plays exactly <paramref name="episodes"/> episodes. Each environment has its share of them, known beforehand: taking
    /// the first to end would favour short ones.</summary>
    /// <param name="player">At the start of its episodes, with <see cref="EnvironmentsFor"/> environments.</param>
    /// <param name="maxSteps">After this many steps an episode counts as ended, for a policy that never fails may play for ever.</param>
    public static EvaluationResult Run(AgentPlayer player, int episodes, long maxSteps, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(episodes);
        var count = player.Environments.Count;
        var left = new int[count];
        for (var i = 0; i < count; i++) left[i] = episodes / count + (i < episodes % count ? 1 : 0);
        var (returns, sums, steps, cutShort) = (new List<double>(episodes), new double[count], new long[count], 0);
        while (returns.Count < episodes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            player.Step();
            for (var i = 0; i < count; i++)
            {
                sums[i] += player.Rewards[i];
                steps[i]++;
                var ended = player.HasEnded(i);
                if (!ended && steps[i] < maxSteps) continue;
                if (left[i] > 0 && !player.IsLost(i))
                {
                    left[i]--;
                    returns.Add(sums[i]);
                    if (!ended) cutShort++;
                }
                (sums[i], steps[i]) = (0, 0);
            }
        }
        return Summarize(returns, cutShort);
    }

    private static EvaluationResult Summarize(List<double> returns, int cutShort)
    {
        var mean = returns.Average();
        var squares = returns.Sum(value => (value - mean) * (value - mean));
        return new EvaluationResult(returns.Count, mean, returns.Count > 1 ? Math.Sqrt(squares / (returns.Count - 1)) : 0, cutShort);
    }
}

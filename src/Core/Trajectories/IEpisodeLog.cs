namespace Rl.Distributed.Core.Trajectories;

/// <summary>Hears of whole games that end.</summary>
public interface IEpisodeLog
{
    /// <param name="episodeReturn">Sum of its rewards, neither scaled nor clipped.</param>
    /// <param name="length">Steps.</param>
    void AddEpisode(double episodeReturn, int length);

    /// <summary>One broke off because its environment failed.</summary>
    void AddLostEpisode();
}

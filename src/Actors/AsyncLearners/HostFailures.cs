using Akka.Actor;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>Which shard hosts had a shard end lately: others are asked first, and they themselves after a while, which doubles each time.</summary>
/// <remarks>A plain object for one thread. A process that is started again at the same address is the same host.</remarks>
internal sealed class HostFailures
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5), Longest = TimeSpan.FromSeconds(30), Memory = TimeSpan.FromMinutes(2);

    private readonly Dictionary<string, (int Count, TimeSpan At)> _hosts = [];

    /// <summary>A shard ended there. Returns for how long the host is left alone.</summary>
    public TimeSpan Add(IActorRef host, TimeSpan now)
    {
        foreach (var (name, failure) in _hosts)
            if (now - failure.At > Memory) _hosts.Remove(name);
        var (key, count) = (NameOf(host), Of(host) + 1);
        _hosts[key] = (count, now);
        return RestAfter(count);
    }

    /// <summary>How often that happened lately.</summary>
    public int Of(IActorRef host) => _hosts.GetValueOrDefault(NameOf(host)).Count;

    /// <summary>It is left alone for now.</summary>
    public bool IsResting(IActorRef host, TimeSpan now) => _hosts.TryGetValue(NameOf(host), out var failure) && now - failure.At < RestAfter(failure.Count);

    private static TimeSpan RestAfter(int count) => TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(count, 30) - 1)));

    private static string NameOf(IActorRef host) => host.Path.ToStringWithAddress();
}

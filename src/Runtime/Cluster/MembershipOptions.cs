using System.Collections.Immutable;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>The periods and limits of membership.</summary>
internal sealed record MembershipOptions
{
    /// <summary>The role whose oldest member is the authority.</summary>
    public string KeepRole { get; init; } = "learner";

    public ImmutableHashSet<string> Roles { get; init; } = [];

    /// <summary>How long the authority waits for an unreachable member before it removes it.</summary>
    public TimeSpan DownAfter { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a member goes on without a connection to the authority. Longer than <see cref="DownAfter"/> by more than
    /// the two sides' detection may differ, so that the authority's side decides first.</summary>
    public TimeSpan LostAuthorityLimit { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A peer that never was connected counts as lost after this.</summary>
    public TimeSpan ConnectLimit { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a first seed looks for a cluster before it founds one. Longer than <see cref="AnnounceInterval"/>.</summary>
    public TimeSpan FoundingGrace { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>How long a node knocks at one authority before it asks the seeds again.</summary>
    public TimeSpan JoinLimit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long after its first knock a node that no cluster lets in ends, so that its host starts anew.</summary>
    public TimeSpan AdmissionLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a leaving node waits to be let go.</summary>
    public TimeSpan LeaveLimit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a removed node that can still be reached may hear of it before it is cut off.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>What was not answered is sent again.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan AnnounceInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often two clusters that must not destroy each other complain.</summary>
    public TimeSpan SplitLogInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often <see cref="Participant.Tick"/> is called.</summary>
    public static TimeSpan TickInterval { get; } = TimeSpan.FromMilliseconds(100);

    /// <exception cref="ArgumentException">The sides of a split would not decide in order.</exception>
    public static MembershipOptions Of(EmbeddedEngine.RemoteOptions options)
    {
        if (options.LostAuthorityLimit <= options.DownAfter)
            throw new ArgumentException("RemoteOptions.LostAuthorityLimit must be above RemoteOptions.DownAfter.", nameof(options));
        return new MembershipOptions
        {
            KeepRole = options.KeepRole,
            Roles = [.. options.Roles],
            DownAfter = options.DownAfter,
            LostAuthorityLimit = options.LostAuthorityLimit,
            ConnectLimit = options.SilenceLimit,
            FoundingGrace = options.FoundingGrace,
        };
    }
}

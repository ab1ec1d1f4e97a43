namespace Rl.Distributed.Node.Clustering;

/// <summary>What a node does, as members of the cluster see it.</summary>
internal static class NodeRoles
{
    public const string Actor = "actor", Learner = "learner", Replay = "replay", ParameterServer = "parameter-server";

    public static IReadOnlyList<string> All { get; } = [Actor, Learner, Replay, ParameterServer];

    /// <summary>The roles that lead a run; they share a node.</summary>
    public static IReadOnlyList<string> Leading { get; } = [Learner, Replay, ParameterServer];
}

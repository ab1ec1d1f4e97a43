using Rl.Distributed.Node.Http;

namespace Rl.Distributed.Node.Tests.Http;

/// <summary>A cluster of three nodes, and what its nodes say of it.</summary>
internal static class Samples
{
    public const string Learner = "akka.tcp://rl@10.0.0.1:4053";
    public const string Near = "akka.tcp://rl@10.0.0.2:4053";
    public const string Far = "akka.tcp://rl@10.0.0.3:4053";

    public static NodeStatus Status { get; } = new()
    {
        Address = Learner,
        Uid = 1,
        Roles = ["learner", "replay"],
        Cluster = "rl",
        Engine = "embedded",
        Version = "0.1.0",
        Leader = Learner,
        Members =
        [
            new MemberInfo(Learner, 1, "Up", ["learner", "replay"], Reachable: true),
            new MemberInfo(Near, 2, "Up", ["actor"], Reachable: true),
            new MemberInfo(Far, 3, "Leaving", ["actor"], Reachable: false),
        ],
        Run = new RunStatus
        {
            Preset = "impala-catch",
            Frames = 12_000,
            TotalFrames = 100_000,
            FramesPerSecond = 3210.4,
            MeanReturn100 = double.NaN,
            PolicyLag = 1.25,
            Updates = 60,
            Workers = new Dictionary<string, int> { [Learner] = 0, [Near] = 4 },
            Unrolls = new UnrollCounts(70, 60, 5, 1, 2),
            Checkpoint = new CheckpointInfo(10_000, DateTimeOffset.UnixEpoch.AddSeconds(1.5)),
        },
    };

    /// <summary>What the node at <paramref name="address"/> says, which does not know of the run.</summary>
    public static NodeStatus Seen(string address, int uid) => Status with { Address = address, Uid = uid, Roles = ["actor"], Run = null };

    public static NodeHealth Health { get; } = new() { State = "up", Roles = ["learner"], Uptime = TimeSpan.FromSeconds(2.5) };

    public static NodePages Pages(NodeStatus? status = null, Func<NodeHealth>? health = null)
    {
        var metrics = new NodeMetrics();
        StandardMetrics.AddTo(metrics, () => status ?? Status, () =>
        [
            new LinkBytes(Near, Sent: true, LinkContent.Weights, 1 << 20),
            new LinkBytes(Near, Sent: false, LinkContent.Experience, 1L << 40),
        ]);
        return new NodePages { Health = health ?? (() => Health), Status = () => status ?? Status, Metrics = metrics };
    }
}

namespace Rl.Distributed.Processes.Tests;

/// <summary>Who is let in.</summary>
public sealed class SecretTests
{
    private const string Right = "what nobody else knows, thirty-two bytes and more", Wrong = "what anybody may guess, thirty-two bytes and more";

    [Fact]
    public async Task A_node_with_another_secret_is_refused_and_says_so()
    {
        await using var cluster = new TestCluster();
        var (right, wrong) = (cluster.Secret("right", Right), cluster.Secret("wrong", Wrong));
        var learner = await cluster.StartLearnerAsync("impala-catch", 1_000_000_000_000, "--secret-file", right);
        var stranger = await cluster.StartActorAsync("stranger", "--secret-file", wrong);
        var friend = await cluster.StartActorAsync("friend", "--secret-file", right);
        using var pages = await learner.PagesAsync();
        await pages.SeesAsync("the friend at work", now => now.Workers.Count == 1 && now.Frames > 0);
        Assert.Contains("secret", await stranger.SaysAsync("Still looking for the cluster"), StringComparison.Ordinal);
        await learner.SaysAsync("Refused");
        Assert.Equal(2, (await pages.ReadAsync())!.Members.Count);
        Assert.NotNull(friend.Find("work for"));
    }

    [Fact]
    public async Task Without_a_secret_nobody_listens_to_other_machines()
    {
        await using var cluster = new TestCluster { Seed = "0.0.0.0:0" };
        var learner = await cluster.StartLearnerAsync("impala-catch", 1);
        Assert.NotEqual(0, await learner.EndAsync());
        Assert.NotNull(learner.Find("secret"));
        Assert.False(Directory.Exists(cluster.RunFolder));
    }
}

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
        // It is there first: that nobody was there then is not all that it says later.
        var stranger = await cluster.StartActorAsync("stranger", "--secret-file", wrong);
        await stranger.SaysAsync("Connection refused");
        var learner = await cluster.StartLearnerAsync("impala-catch", 100_000, "--secret-file", right);
        using var pages = await learner.PagesAsync();
        await stranger.SaysAsync("the secret differs");
        await learner.SaysAsync("the secret differs");
        var view = await pages.SeesAsync("its own cluster", now => now.Members.Count > 0);
        Assert.Equal([view.Self], view.Members);

        var friend = await cluster.StartActorAsync("friend", "--secret-file", right);
        Assert.Equal(0, await learner.EndAsync());
        await friend.SaysAsync("has ended; waiting for the next one");
        Assert.Null(stranger.Find("work for"));
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

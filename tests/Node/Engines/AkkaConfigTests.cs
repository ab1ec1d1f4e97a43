using Rl.Distributed.Actors;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Tests.Engines;

public sealed class AkkaConfigTests
{
    private static readonly NodeEndpoint Endpoint = new()
    {
        Listen = new HostPort("127.0.0.1", 4000),
        Roles = ["actor", "learner"],
    };

    [Fact]
    public void A_node_is_reached_where_it_listens_unless_it_is_advertised_elsewhere()
    {
        var lines = Lines(Endpoint);
        Assert.Contains("hostname = \"127.0.0.1\"", lines);
        Assert.Contains("public-hostname = \"127.0.0.1\"", lines);
        Assert.Contains("port = 4000", lines);
        Assert.Contains("public-port = 0", lines);
        lines = Lines(Endpoint with { Advertise = new HostPort("learner.example", 5000) });
        Assert.Contains("hostname = \"127.0.0.1\"", lines);
        Assert.Contains("public-hostname = \"learner.example\"", lines);
        Assert.Contains("public-port = 5000", lines);
    }

    [Fact]
    public void Roles_and_the_side_that_stays_are_named()
    {
        var lines = Lines(Endpoint);
        Assert.Contains("roles = [\"actor\", \"learner\"]", lines);
        Assert.Contains("active-strategy = keep-oldest", lines);
        Assert.Contains("role = \"learner\"", lines);
    }

    [Fact]
    public void A_name_cannot_end_its_string_and_go_on_as_configuration()
    {
        var lines = Lines(Endpoint with { Roles = ["a\"]\nakka.loglevel = DEBUG\\"] });
        Assert.Contains("roles = [\"a\\\"]\\u000aakka.loglevel = DEBUG\\\\\"]", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("akka.loglevel", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Workers_and_learner_have_threads_of_their_own(bool remote)
    {
        var text = remote ? AkkaConfig.Remote(Endpoint) : AkkaConfig.Local;
        Assert.Contains(WorkerPool.Dispatcher + " { type = PinnedDispatcher }", text);
        Assert.Contains(RunCoordinator.LearnerDispatcher + " { type = PinnedDispatcher }", text);
    }

    private static string[] Lines(NodeEndpoint endpoint) => [.. AkkaConfig.Remote(endpoint).Split('\n').Select(line => line.Trim())];
}

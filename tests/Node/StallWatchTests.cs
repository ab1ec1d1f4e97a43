using Rl.Distributed.Actors;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Tests;

public class StallWatchTests
{
    [Fact]
    public void Workers_that_say_nothing_while_nothing_is_learned_are_told_once()
    {
        var watch = new StallWatch();
        watch.Learned();
        Assert.Null(watch.Check(2));
        Assert.Null(watch.Check(2));
        Assert.Null(watch.Check(2));
        watch.Heard(new WorkerReport(1, 0, 0, 0, 0, 0, 0, 0, 0));
        Assert.Contains("Nothing was learned for 30 s, and 1 of 2 workers say nothing", watch.Check(2));
        Assert.Null(watch.Check(2));
        watch.Learned();
        for (var i = 0; i < 3; i++) Assert.Null(watch.Check(2));
        Assert.Contains("and 2 of 2 workers say nothing", watch.Check(2));
    }

    [Fact]
    public void Without_workers_nothing_is_expected()
    {
        var watch = new StallWatch();
        for (var i = 0; i < 5; i++) Assert.Null(watch.Check(0));
    }
}

using Rl.Distributed.Actors;
using Rl.Distributed.Node.Clustering;

namespace Rl.Distributed.Node.Tests.Clustering;

public sealed class WorkHistoryTests
{
    private readonly WorkHistory _history = new();

    [Fact]
    public void What_was_reported_of_a_run_is_kept_as_long_as_the_node_works_for_it()
    {
        _history.Begin("one");
        _history.Add("one", Report(3, 0, 5));
        _history.Add("one", Report(3, 0, 6));
        _history.Begin("one");
        _history.Add("one", Report(3, 4096, 2));
        Assert.Equal([Report(3, 0, 6), Report(3, 4096, 2)], _history.Reports());
        _history.Begin("other");
        _history.Add("one", Report(3, 4096, 3));
        Assert.Empty(_history.Reports());
    }

    [Fact]
    public void The_oldest_reports_are_forgotten_when_there_are_too_many()
    {
        _history.Begin("one");
        for (var i = 0; i < 1500; i++) _history.Add("one", Report(7 - (i % 2), i / 2, i));
        Assert.Equal(1024, _history.Reports().Length);
        Assert.Equal(Enumerable.Range(476, 1024).Order(), _history.Reports().Select(report => (int)report.Consumed).Order());
    }

    private static WorkerReport Report(int worker, int incarnation, long consumed) => new(worker, incarnation, 2000, consumed, 0, 0, 0, 0, 0);
}

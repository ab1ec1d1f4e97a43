using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class CatchTests
{
    private const int Rows = 10, Columns = 5, Bytes = 7;

    private readonly Play _play = new(EnvironmentRegistry.Default.Create(new EnvironmentOptions { Name = "catch" }, 200, RandomStream.Create(1, StreamRole.Environment)));

    [Fact]
    public void The_ball_starts_anywhere_in_the_top_row_and_the_paddle_in_the_middle_of_the_last()
    {
        var columns = new int[Columns];
        for (var i = 0; i < 200; i++)
        {
            var cells = Cells(_play.Observations, i);
            Assert.Equal(2, cells.Count);
            Assert.Equal(0, cells[0].Y);
            Assert.Equal((2, Rows - 1), cells[1]);
            columns[cells[0].X]++;
        }
        Assert.All(columns, count => Assert.InRange(count, 20, 60));
    }

    [Fact]
    public void An_episode_lasts_9_steps_and_pays_only_at_its_end()
    {
        for (var step = 1; step <= 27; step++)
        {
            _play.Step();
            Assert.All(_play.Terminated, ended => Assert.Equal(step % 9 == 0, ended));
            Assert.All(_play.Truncated, Assert.False);
            Assert.All(_play.Rewards, reward => Assert.Equal(step % 9 == 0 ? 1 : 0, Math.Abs(reward)));
        }
    }

    [Fact]
    public void Standing_under_the_ball_pays_1_and_elsewhere_costs_1()
    {
        var target = Enumerable.Range(0, 200).Select(i => Cells(_play.Observations, i)[0].X).ToArray();
        for (var step = 0; step < 9; step++)
        {
            // The even copies walk to the ball; the odd ones walk to the left wall, and stay there.
            for (var i = 0; i < 200; i++) _play.Actions[i] = i % 2 == 1 ? 0 : 1 + Math.Sign(target[i] - Cells(_play.Observations, i)[^1].X);
            _play.Step();
        }
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(i % 2 == 0 || target[i] == 0 ? 1 : -1, _play.Rewards[i]);
            Assert.Equal(_play.Rewards[i] > 0 ? 1 : 2, Cells(_play.Finals, i).Count);
            Assert.Contains((target[i], Rows - 1), Cells(_play.Finals, i));
        }
    }

    [Fact]
    public void The_paddle_moves_before_the_ball_is_judged()
    {
        var near = Enumerable.Range(0, 200).First(i => Cells(_play.Observations, i)[0].X == 3);
        Array.Fill(_play.Actions, 1);
        for (var step = 0; step < 8; step++) _play.Step();
        _play.Actions[near] = 2;
        _play.Step();
        Assert.Equal(1, _play.Rewards[near]);
    }

    [Fact]
    public void A_picture_shows_ball_and_paddle()
    {
        var left = Enumerable.Range(0, 200).First(i => Cells(_play.Observations, i)[0].X == 0);
        Assert.StartsWith("|()        |", _play.Picture(left), StringComparison.Ordinal);
        Assert.EndsWith("|    []    |\n------------", _play.Picture(left), StringComparison.Ordinal);
    }

    private static List<(int X, int Y)> Cells(byte[] observations, int index) =>
        [.. from bit in Enumerable.Range(0, Rows * Columns)
            where (observations[index * Bytes + bit / 8] >> (bit % 8) & 1) != 0
            select (bit % Columns, bit / Columns)];
}

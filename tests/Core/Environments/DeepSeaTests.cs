using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class DeepSeaTests
{
    private const int Copies = 64;

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(64)]
    public void All_copies_share_one_meaning_of_the_actions(int size)
    {
        var play = Play.Of(new EnvironmentOptions { Name = "deepsea", Size = size }, Copies);
        var cost = (float)(-0.01 / size);
        // By cell: the action that was seen to mean right, in whichever copy.
        var right = new int?[size, size];
        var choices = RandomStream.Create(2, StreamRole.Policy);
        var columns = new int[Copies];
        for (var step = 0; step < 12 * size; step++)
        {
            var row = step % size;
            if (step == 6 * size) play.Batch.Reset(play.Observations);
            for (var i = 0; i < Copies; i++)
            {
                Assert.Equal([row * size + columns[i]], Set(play.Observations, i, size));
                play.Actions[i] = choices.NextInt32(2);
            }
            play.Step();
            for (var i = 0; i < Copies; i++)
            {
                var isRight = play.Rewards[i] != 0;
                var action = isRight ? play.Actions[i] : 1 - play.Actions[i];
                Assert.Equal(action, right[row, columns[i]] ??= action);
                Assert.Equal(!isRight ? 0 : columns[i] < size - 1 ? cost : (float)(1 - 0.01 / size), play.Rewards[i]);
                Assert.Equal((row == size - 1, false), (play.Terminated[i], play.Truncated[i]));
                columns[i] = row == size - 1 ? 0 : Math.Clamp(columns[i] + (isRight ? 1 : -1), 0, size - 1);
                if (play.Terminated[i]) Assert.Empty(Set(play.Finals, i, size));
            }
        }
        var known = right.Cast<int?>().Where(action => action is not null).ToList();
        var spread = 5 * Math.Sqrt(known.Count) / 2;
        Assert.InRange(known.Count(action => action == 1), known.Count / 2.0 - spread, known.Count / 2.0 + spread);
    }

    [Fact]
    public void Whoever_plays_finds_the_same_sea_unless_its_mapping_seed_is_another()
    {
        Assert.Equal(Rewards(42, 1), Rewards(42, 2));
        Assert.NotEqual(Rewards(42, 1), Rewards(43, 1));

        static string Rewards(int mappingSeed, ulong seed)
        {
            const int size = 20;
            var options = new EnvironmentOptions { Name = "deepsea", Size = size, MappingSeed = mappingSeed };
            var play = new Play(EnvironmentRegistry.Default.Create(options, 1, RandomStream.Create(seed, StreamRole.Environment)));
            var moves = "";
            for (var step = 0; step < 4 * size; step++)
            {
                play.Actions[0] = step / size % 2;
                play.Step();
                moves += play.Rewards[0] != 0 ? 'r' : 'l';
            }
            return moves;
        }
    }

    [Fact]
    public void Only_the_way_that_is_always_right_pays()
    {
        const int size = 4;
        var play = Play.Of(new EnvironmentOptions { Name = "deepsea", Size = size }, 1);
        var returns = new List<double>();
        for (var way = 0; way < 1 << size; way++)
        {
            var sum = 0.0;
            for (var step = 0; step < size; step++)
            {
                play.Actions[0] = way >> step & 1;
                play.Step();
                sum += play.Rewards[0];
            }
            returns.Add(sum);
        }
        Assert.Equal(0.99, returns.Max(), 1e-6);
        Assert.Equal((1 << size) - 1, returns.Count(sum => sum is <= 0 and > -0.01));
        // As many moves to the right as a way has: binomial.
        for (var moves = 0; moves < size; moves++)
            Assert.Equal(moves switch { 0 => 1, 1 => 4, 2 => 6, _ => 4 }, returns.Count(sum => Math.Abs(sum + 0.01 * moves / size) < 1e-6));
    }

    [Fact]
    public void The_stochastic_sea_holds_the_diver_back_at_times()
    {
        const int size = 5;
        var play = Play.Of(new EnvironmentOptions { Name = "deepsea", Size = size, Stochastic = true }, 4000);
        var (moved, stuck) = (0, 0);
        for (var i = 0; i < 4000; i++) play.Actions[i] = i % 2;
        play.Step();
        for (var i = 0; i < 4000; i++)
        {
            var isRight = play.Rewards[i] != 0;
            if (isRight) Assert.Equal((float)(-0.01 / size), play.Rewards[i]);
            var cell = Assert.Single(Set(play.Observations, i, size));
            if (isRight && cell == size + 1) moved++;
            else Assert.Equal(size, cell);
            if (isRight && cell == size) stuck++;
        }
        // One of the two actions is right; a fifth of 2,000, five standard deviations.
        Assert.Equal(2000, moved + stuck);
        Assert.InRange(stuck / (double)(moved + stuck), 0.155, 0.245);
    }

    [Fact]
    public void The_ends_of_the_stochastic_sea_give_normal_rewards()
    {
        const int size = 2;
        var play = Play.Of(new EnvironmentOptions { Name = "deepsea", Size = size, Stochastic = true }, 20_000);
        for (var i = 0; i < 20_000; i++) play.Actions[i] = i % 2;
        play.Step();
        for (var i = 0; i < 20_000; i++) play.Actions[i] = i / 2 % 2;
        var atTreasure = Enumerable.Range(0, 20_000).Select(i => Set(play.Observations, i, size)[0] == 3).ToArray();
        play.Step();
        // Either end of a row of two: a normal, and half of the time the cost of 0.005; at the treasure 1 more for it.
        foreach (var treasure in new[] { false, true })
        {
            var rewards = Enumerable.Range(0, 20_000).Where(i => atTreasure[i] == treasure).Select(i => (double)play.Rewards[i]).ToList();
            var mean = treasure ? 0.5 * (1 - 0.005) : -0.5 * 0.005;
            var variance = 1 + (treasure ? 0.25 * 0.995 * 0.995 : 0.25 * 0.005 * 0.005);
            Assert.True(rewards.Count > 4000);
            Assert.Equal(mean, rewards.Average(), 5 * Math.Sqrt(variance / rewards.Count));
            Assert.Equal(variance, rewards.Average(reward => (reward - mean) * (reward - mean)), 0.12);
            // 2.3 % of a normal's draws are above 2 standard deviations.
            Assert.InRange(rewards.Count(reward => reward - mean > 2 * Math.Sqrt(variance)) / (double)rewards.Count, 0.013, 0.033);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65)]
    public void A_size_out_of_range_is_refused_by_name(int size)
    {
        var error = Assert.Throws<ArgumentException>(() => Play.Of(new EnvironmentOptions { Name = "deepsea", Size = size }, 1));
        Assert.Contains($"Size of 'deepsea' is 2 to 64, but is {size}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_shows_diver_and_treasure()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "deepsea", Size = 3 }, 1);
        Assert.Equal("|<>    |\n|~~~~  |\n|~~~~$$|\n--------", play.Picture(0));
        play.Step();
        Assert.Equal(Set(play.Observations, 0, 3)[0] == 4 ? "|~~<>  |" : "|<>~~  |", play.Picture(0).Split('\n')[1]);
    }

    private static List<int> Set(byte[] observations, int index, int size)
    {
        var bytes = (size * size + 7) / 8;
        var row = observations.AsSpan(index * bytes, bytes);
        List<int> set = [];
        for (var i = 0; i < bytes; i++)
            for (var bit = 0; row[i] != 0 && bit < 8; bit++)
                if ((row[i] >> bit & 1) != 0) set.Add(8 * i + bit);
        return set;
    }
}

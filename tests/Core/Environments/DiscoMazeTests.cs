using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Tests.Environments;

public class DiscoMazeTests
{
    private const int Size = 21, Cells = Size * Size, Left = 0, Right = 1, Up = 2;
    private const int Black = 0, Green = 0x00FF00, White = 0xFFFFFF;

    private static readonly int[] WallColors = [0xFF0000, 0xFFFF00, 0x0000FF, 0xFF00FF, 0x00FFFF];

    [Theory]
    [InlineData(5)]
    [InlineData(21)]
    [InlineData(63)]
    public void A_maze_joins_all_its_rooms_in_one_way(int size)
    {
        const int copies = 20;
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze", Size = size }, copies);
        var rooms = size / 2 * (size / 2);
        for (var i = 0; i < copies; i++)
        {
            var picture = Picture(play.Observations, i, size);
            Assert.All(picture, color => Assert.True(color is Black or Green || WallColors.Contains(color)));
            for (var k = 0; k < size; k++)
                foreach (var cell in new[] { k, size * (size - 1) + k, size * k, size * k + size - 1 })
                    Assert.Contains(picture[cell], WallColors);
            for (var y = 1; y < size; y += 2)
                for (var x = 1; x < size; x += 2) Assert.DoesNotContain(picture[y * size + x], WallColors);
            // A passage fewer than rooms, and yet every free cell can be reached: a tree.
            Assert.Equal(2 * rooms - 1, picture.Count(color => color is Black or Green));
            Assert.Equal(2 * rooms - 1, Distances(picture, size, Agent(picture)).Count(distance => distance >= 0));
        }
    }

    [Fact]
    public void Mazes_and_starts_differ_and_favour_no_direction()
    {
        const int copies = 400;
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze" }, copies);
        var (across, all, starts) = (0, 0, new int[Cells]);
        HashSet<string> mazes = [];
        for (var i = 0; i < copies; i++)
        {
            var picture = Picture(play.Observations, i);
            mazes.Add(string.Concat(picture.Select(color => WallColors.Contains(color) ? '#' : '.')));
            starts[Agent(picture)]++;
            for (var cell = 0; cell < Cells; cell++)
            {
                if (WallColors.Contains(picture[cell]) || (cell % Size % 2 == 1 && cell / Size % 2 == 1)) continue;
                all++;
                if (cell % Size % 2 == 0) across++;
            }
        }
        Assert.Equal(copies, mazes.Count);
        Assert.Equal(99 * copies, all);
        Assert.InRange(across / (double)all, 0.48, 0.52);
        // 100 rooms: few of them have no start, none has many.
        Assert.InRange(starts.Count(count => count > 0), 93, 100);
        Assert.InRange(starts.Max(), 5, 17);
    }

    [Fact]
    public void Every_cell_of_wall_takes_one_of_five_colours_anew_at_every_step()
    {
        const int copies = 30, steps = 40;
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze" }, copies);
        var moves = Enumerable.Range(0, copies).Select(i => FreeMove(Picture(play.Observations, i))).ToArray();
        var before = Enumerable.Range(0, copies).Select(i => Picture(play.Observations, i)).ToArray();
        // By cell: how often each colour. And how often a colour stayed, or was that of the next cell of wall.
        var counts = new Dictionary<(int Cell, int Color), int>();
        var walls = new int[Cells];
        var (all, stayed, likeNext) = (0, 0, 0);
        for (var step = 0; step < steps; step++)
        {
            for (var i = 0; i < copies; i++) play.Actions[i] = step % 2 == 0 ? moves[i] : moves[i] ^ 1;
            play.Step();
            Assert.All(play.Rewards, reward => Assert.Equal(0f, reward));
            for (var i = 0; i < copies; i++)
            {
                Assert.False(play.Terminated[i] | play.Truncated[i]);
                var picture = Picture(play.Observations, i);
                Assert.Equal(Agent(before[i]) + (step % 2 == 0 ? Step(moves[i], Size) : -Step(moves[i], Size)), Agent(picture));
                int? last = null;
                for (var cell = 0; cell < Cells; cell++)
                {
                    var isWall = WallColors.Contains(picture[cell]);
                    Assert.Equal(WallColors.Contains(before[i][cell]), isWall);
                    if (!isWall) continue;
                    all++;
                    walls[cell]++;
                    if (picture[cell] == before[i][cell]) stayed++;
                    if (picture[cell] == last) likeNext++;
                    last = picture[cell];
                    counts[(cell, picture[cell])] = counts.GetValueOrDefault((cell, picture[cell])) + 1;
                }
                before[i] = picture;
            }
        }
        Assert.Equal(242 * copies * steps, all);
        var fifth = 5 * Math.Sqrt(0.16 / all);
        Assert.InRange(stayed / (double)all, 0.2 - fifth, 0.2 + fifth);
        Assert.InRange(likeNext / (double)all, 0.2 - 2 * fifth, 0.2 + fifth);
        foreach (var color in WallColors)
        {
            var share = counts.Where(entry => entry.Key.Color == color).Sum(entry => entry.Value) / (double)all;
            Assert.InRange(share, 0.2 - fifth, 0.2 + fifth);
            for (var cell = 0; cell < Cells; cell++)
                if (walls[cell] == copies * steps) Assert.InRange(counts[(cell, color)], 240 - 75, 240 + 75);
        }
    }

    [Fact]
    public void A_step_into_a_wall_ends_the_episode_and_the_next_is_in_another_maze()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze" }, 100);
        var before = Enumerable.Range(0, 100).Select(i => Picture(play.Observations, i)).ToArray();
        // Left, right, up and down in turn.
        for (var i = 0; i < 100; i++) play.Actions[i] = i % 4;
        play.Step();
        for (var i = 0; i < 100; i++)
        {
            var target = Agent(before[i]) + Step(i % 4, Size);
            Assert.Equal(WallColors.Contains(before[i][target]), play.Terminated[i]);
            Assert.False(play.Truncated[i]);
            Assert.Equal(0f, play.Rewards[i]);
            Assert.Equal(target, Agent(Picture(play.Terminated[i] ? play.Finals : play.Observations, i)));
            var after = Picture(play.Observations, i);
            var isSame = Enumerable.Range(0, Cells).All(cell => WallColors.Contains(before[i][cell]) == WallColors.Contains(after[cell]));
            Assert.Equal(!play.Terminated[i], isSame);
        }
        Assert.InRange(play.Terminated.Count(ended => ended), 25, 75);
    }

    [Theory]
    [InlineData(21, 500)]
    [InlineData(7, 45)]
    public void An_episode_is_truncated_after_5_steps_a_room(int size, int limit)
    {
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze", Size = size }, 1);
        var move = 0;
        for (var step = 0; step < 2 * limit; step++)
        {
            var picture = Picture(play.Observations, 0, size);
            move = step % limit == 0 ? FreeMove(picture, size) : move ^ 1;
            play.Actions[0] = move;
            play.Step();
            Assert.Equal((false, (step + 1) % limit == 0), (play.Terminated[0], play.Truncated[0]));
        }
    }

    [Fact]
    public void A_depth_first_walk_sees_every_free_cell_in_time()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze" }, 1);
        for (var episode = 0; episode < 3; episode++)
        {
            HashSet<int> seen = [Agent(Picture(play.Observations, 0))];
            Stack<int> way = [];
            var steps = 0;
            while (seen.Count < 199)
            {
                var picture = Picture(play.Observations, 0);
                var agent = Agent(picture);
                bool IsNew(int move) => picture[agent + Step(move, Size)] == Black && !seen.Contains(agent + Step(move, Size));
                var next = Enumerable.Range(0, 4).Where(IsNew).Cast<int?>().FirstOrDefault();
                play.Actions[0] = next ?? way.Pop() ^ 1;
                if (next is { } move) way.Push(move);
                play.Step();
                Assert.False(play.Terminated[0] | play.Truncated[0]);
                seen.Add(Agent(Picture(play.Observations, 0)));
                steps++;
            }
            Assert.InRange(steps, 198, 396);
            play.Batch.Reset(play.Observations);
        }
    }

    [Fact]
    public void A_goal_is_white_and_pays_1()
    {
        const int copies = 30;
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze", Goal = true }, copies);
        var found = new bool[copies];
        HashSet<int> goals = [];
        for (var step = 0; step < 400 && found.Contains(false); step++)
        {
            var before = Enumerable.Range(0, copies).Select(i => Picture(play.Observations, i)).ToArray();
            for (var i = 0; i < copies; i++)
            {
                var goal = Array.IndexOf(before[i], White);
                Assert.True(goal % Size % 2 == 1 && goal / Size % 2 == 1);
                var distances = Distances(before[i], Size, goal);
                goals.Add(goal);
                var agent = Agent(before[i]);
                play.Actions[i] = Enumerable.Range(0, 4).First(move => distances[agent + Step(move, Size)] == distances[agent] - 1);
            }
            play.Step();
            for (var i = 0; i < copies; i++)
            {
                var isThere = Agent(before[i]) + Step(play.Actions[i], Size) == Array.IndexOf(before[i], White);
                Assert.Equal((isThere ? 1f : 0f, isThere), (play.Rewards[i], play.Terminated[i]));
                if (isThere) Assert.DoesNotContain(White, Picture(play.Finals, i));
                found[i] |= isThere;
            }
        }
        Assert.DoesNotContain(false, found);
        Assert.True(goals.Count > 60);
    }

    [Fact]
    public void The_goal_is_in_any_room_but_the_agents()
    {
        const int copies = 1200;
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze", Goal = true, Size = 5 }, copies);
        var pictures = Enumerable.Range(0, copies).Select(i => Picture(play.Observations, i, 5));
        var pairs = pictures.CountBy(picture => (Agent: Agent(picture), Goal: Array.IndexOf(picture, White))).ToList();
        // Four rooms: twelve pairs of 100 each.
        Assert.Equal(12, pairs.Count);
        Assert.All(pairs, pair => Assert.InRange(pair.Value, 50, 150));
        Assert.DoesNotContain(pairs, pair => pair.Key.Goal < 0);
    }

    [Theory]
    [InlineData(4, "Size of 'discomaze' is 5 to 63, but is 4")]
    [InlineData(20, "Size of 'discomaze' is an odd number, 5 to 63, but is 20")]
    [InlineData(65, "Size of 'discomaze' is 5 to 63, but is 65")]
    public void A_size_that_cannot_be_is_refused_by_name(int size, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => Play.Of(new EnvironmentOptions { Name = "discomaze", Size = size }, 1));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(21)]
    public void A_picture_has_the_colours_of_the_observation(int size)
    {
        var play = Play.Of(new EnvironmentOptions { Name = "discomaze", Size = size, Goal = true }, 1);
        var picture = Picture(play.Observations, 0, size);
        var canvas = new TextCanvas();
        play.Batch.Render(0, canvas);
        Assert.Equal((2 * size, size), (canvas.Width, canvas.Height));
        for (var cell = 0; cell < size * size; cell++)
        {
            var (glyphs, color) = picture[cell] switch
            {
                Black => ("  ", 0), Green => ("[]", 10), White => ("()", 15),
                0xFF0000 => ("##", 9), 0xFFFF00 => ("##", 11), 0x0000FF => ("##", 12), 0xFF00FF => ("##", 13), _ => ("##", 14),
            };
            var (x, y) = (2 * (cell % size), cell / size);
            Assert.Equal((glyphs, color), ($"{canvas.CharacterAt(x, y)}{canvas.CharacterAt(x + 1, y)}", canvas.ColorAt(x, y)));
        }
    }

    private static int[] Picture(byte[] observations, int index, int size = Size)
    {
        var row = observations.AsSpan(index * size * size * 3, size * size * 3);
        var picture = new int[size * size];
        for (var cell = 0; cell < picture.Length; cell++)
            picture[cell] = (row[3 * cell] << 16) | (row[3 * cell + 1] << 8) | row[3 * cell + 2];
        return picture;
    }

    private static int Agent(int[] picture)
    {
        Assert.Single(picture, Green);
        return Array.IndexOf(picture, Green);
    }

    private static int Step(int move, int size) => move switch { Left => -1, Right => 1, Up => -size, _ => size };

    private static int FreeMove(int[] picture, int size = Size) =>
        Enumerable.Range(0, 4).First(move => picture[Agent(picture) + Step(move, size)] == Black);

    /// <summary>Steps from a cell to each; -1 where there is no way.</summary>
    private static int[] Distances(int[] picture, int size, int from)
    {
        var distances = new int[picture.Length];
        Array.Fill(distances, -1);
        distances[from] = 0;
        Queue<int> open = new([from]);
        while (open.TryDequeue(out var cell))
            for (var move = 0; move < 4; move++)
            {
                var next = cell + Step(move, size);
                if (distances[next] >= 0 || WallColors.Contains(picture[next])) continue;
                distances[next] = distances[cell] + 1;
                open.Enqueue(next);
            }
        return distances;
    }
}

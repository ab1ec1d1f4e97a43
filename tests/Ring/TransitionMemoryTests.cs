using System.Buffers.Binary;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Ring.Tests;

public sealed class TransitionMemoryTests
{
    private const float Discount = 0.9f;

    // An observation is its lane and the number of the step in that lane.
    private static readonly ObservationSpec Observation = new(ElementType.UInt8, 6);

    private RandomStream _random = RandomStream.Create(5, StreamRole.Replay);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(10_000)]
    public void What_can_be_drawn_is_what_the_newest_steps_of_all_lanes_led_to_and_nothing_across_an_end_or_a_cut(int capacity)
    {
        var memory = new TransitionMemory(Observation, capacity);
        var (model, random) = (new Model(capacity), RandomStream.Create(6, StreamRole.Environment));
        var all = new[] { new Source(0, 3), new Source(3, 1), new Source(4, 2) };
        for (var i = 0; i < 400; i++)
        {
            var source = all[random.NextInt32(3)];
            source.Insert(memory, model, steps: 1 + random.NextInt32(4), ref random);
            // A learner that begins anew joins nothing to what was before.
            if (random.NextInt32(30) == 0) source.Restart();
            var expected = model.Drawable();
            Assert.Equal(expected.Count, memory.Count);
            if (i % 20 == 0) Assert.Equal(expected, Drawn(memory, 40 * expected.Count));
        }
        Assert.Equal(model.Count, memory.Inserted);
    }

    [Fact]
    public void Every_step_that_can_be_drawn_is_drawn_equally_often()
    {
        const int draws = 100_000;
        var memory = new TransitionMemory(Observation, 60);
        var random = RandomStream.Create(6, StreamRole.Environment);
        var (source, model) = (new Source(0, 3), new Model(60));
        for (var i = 0; i < 50; i++) source.Insert(memory, model, 4, ref random);
        var counts = new Dictionary<Step, int>();
        var batch = new TransitionBatch(Observation, 100);
        for (var i = 0; i < draws / 100; i++)
        {
            Assert.True(memory.TrySample(1, batch, ref _random));
            foreach (var step in Steps(batch)) counts[step] = counts.GetValueOrDefault(step) + 1;
        }
        var mean = (double)draws / memory.Count;
        Assert.Equal(memory.Count, counts.Count);
        var chi = counts.Values.Sum(count => (count - mean) * (count - mean) / mean);
        // Mean and variance of the chi-square distribution are its degrees of freedom, and twice that.
        var freedom = memory.Count - 1;
        Assert.InRange(chi, freedom - (4 * Math.Sqrt(2 * freedom)), freedom + (4 * Math.Sqrt(2 * freedom)));
    }

    [Fact]
    public void Nothing_is_drawn_before_there_is_enough()
    {
        var memory = new TransitionMemory(Observation, 10);
        var random = RandomStream.Create(6, StreamRole.Environment);
        var (source, model, batch) = (new Source(0, 1), new Model(10), new TransitionBatch(Observation, 4));
        Assert.False(memory.TrySample(0, batch, ref _random));
        while (memory.Inserted < 5)
        {
            Assert.False(memory.TrySample(5, batch, ref _random));
            source.Insert(memory, model, 1, ref random);
        }
        Assert.Equal(0UL, _random.Position);
        Assert.True(memory.TrySample(5, batch, ref _random));
    }

    [Fact]
    public void Learning_begins_even_where_it_waits_for_a_full_memory_and_never_stops()
    {
        var (memory, model, batch) = (new TransitionMemory(Observation, 40), new Model(40), new TransitionBatch(Observation, 4));
        var (source, random) = (new Source(0, 3), RandomStream.Create(6, StreamRole.Environment));
        while (memory.Inserted < 40) source.Insert(memory, model, 1, ref random);
        for (var i = 0; i < 200; i++)
        {
            // The newest step of each lane, and each that a limit cut, can never be drawn.
            Assert.InRange(memory.Count, 1, 39);
            Assert.True(memory.TrySample(40, batch, ref _random));
            source.Insert(memory, model, 1, ref random);
        }
    }

    [Fact]
    public void A_full_memory_of_which_no_step_could_ever_be_drawn_is_an_error_that_says_why()
    {
        var memory = new TransitionMemory(Observation, 4);
        var (replay, batch) = (new ReplayHere(memory, 1, 2, RandomStream.Create(1, StreamRole.Replay)), new TransitionBatch(Observation, 2));
        for (var i = 0; i < 4; i++)
        {
            Assert.False(replay.TrySample(batch));
            replay.Insert(new TransitionSegment
            {
                Observations = new byte[Observation.ByteCount],
                Actions = new int[1],
                Rewards = new float[1],
                Discounts = new float[1],
                Ends = [StepEnd.Cut],
            });
        }
        Assert.Contains("environment.timeLimit", Assert.Throws<InvalidOperationException>(() => replay.TrySample(batch)).Message);
    }

    [Fact]
    public void Neither_inserting_nor_drawing_allocates()
    {
        var memory = new TransitionMemory(Observation, 100);
        var (lanes, batch) = (TransitionLane.Create(4), new TransitionBatch(Observation, 32));
        var (observations, actions, numbers, ends) = (new byte[8 * Observation.ByteCount], new int[8], new float[8], new StepEnd[8]);
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            memory.Insert(lanes, new TransitionSegment
            {
                Observations = observations,
                Actions = actions,
                Rewards = numbers,
                Discounts = numbers,
                Ends = ends,
            });
            memory.TrySample(1, batch, ref _random);
        }
    }

    [Fact]
    public async Task Threads_that_share_a_memory_draw_whole_steps()
    {
        var memory = new TransitionMemory(Observation, 97);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            var (source, model, batch) = (new Source(3 * thread, 3), new Model(0), new TransitionBatch(Observation, 32));
            var (random, draws) = (RandomStream.Create(6, StreamRole.Environment, (uint)thread), RandomStream.Create(6, StreamRole.Replay, (uint)thread));
            for (var i = 0; i < 1000; i++)
            {
                source.Insert(memory, model, 3, ref random);
                if (!memory.TrySample(20, batch, ref draws)) continue;
                foreach (var step in Steps(batch))
                {
                    Assert.Equal((step.Lane, step.Number), (step.Action, (int)step.Reward));
                    if (step.Discount > 0) Assert.Equal((step.Lane, step.Number + 1), (step.NextLane, step.NextNumber));
                }
            }
        })));
        Assert.Equal(4 * 1000 * 9, memory.Inserted);
    }

    [Fact]
    public void A_segment_of_other_lengths_is_refused()
    {
        var memory = new TransitionMemory(Observation, 100);
        Assert.Throws<ArgumentException>(() => memory.Insert(TransitionLane.Create(2), new TransitionSegment
        {
            Observations = new byte[3 * Observation.ByteCount],
            Actions = new int[3],
            Rewards = new float[3],
            Discounts = new float[3],
            Ends = new StepEnd[3],
        }));
        Assert.Equal(0, memory.Inserted);
    }

    private HashSet<Step> Drawn(TransitionMemory memory, int draws)
    {
        var (found, batch) = (new HashSet<Step>(), new TransitionBatch(Observation, 50));
        for (var i = 0; i < draws; i += 50)
            if (memory.TrySample(1, batch, ref _random)) found.UnionWith(Steps(batch));
        return found;
    }

    private static IEnumerable<Step> Steps(TransitionBatch batch)
    {
        var size = Observation.ByteCount;
        for (var i = 0; i < batch.Size; i++)
        {
            var (lane, number) = Read(batch.Observations[(i * size)..]);
            var (nextLane, nextNumber) = batch.Discounts[i] > 0 ? Read(batch.Next[(i * size)..]) : default;
            yield return new Step(lane, number, batch.Actions[i], batch.Rewards[i], batch.Discounts[i], nextLane, nextNumber);
        }
    }

    private static (int Lane, int Number) Read(ReadOnlySpan<byte> observation) =>
        (BinaryPrimitives.ReadInt16LittleEndian(observation), BinaryPrimitives.ReadInt32LittleEndian(observation[2..]));

    private sealed record Step(int Lane, int Number, int Action, float Reward, float Discount, int NextLane, int NextNumber);

    /// <summary>All steps in the order in which they were inserted, and what each led to.</summary>
    private sealed class Model(int capacity)
    {
        private readonly List<(Step Step, StepEnd End, int Next)> _rows = [];

        public int Count => _rows.Count;

        public void Add(Step step, StepEnd end) => _rows.Add((step, end, -1));

        public void Join(int row, int next) => _rows[row] = _rows[row] with { Next = next };

        public HashSet<Step> Drawable()
        {
            var found = new HashSet<Step>();
            foreach (var (step, end, next) in _rows.TakeLast(capacity))
            {
                if (end == StepEnd.Ended) found.Add(step);
                else if (end == StepEnd.GoesOn && next >= 0)
                    found.Add(step with { NextLane = _rows[next].Step.Lane, NextNumber = _rows[next].Step.Number });
            }
            return found;
        }
    }

    /// <summary>Some environments whose observations are counted.</summary>
    private sealed class Source(int first, int count)
    {
        private readonly int[] _numbers = new int[count], _last = [.. Enumerable.Repeat(-1, count)];
        private TransitionLane[] _lanes = TransitionLane.Create(count);

        public void Restart()
        {
            _lanes = TransitionLane.Create(count);
            Array.Fill(_last, -1);
        }

        public void Insert(TransitionMemory memory, Model model, int steps, ref RandomStream random)
        {
            var rows = steps * count;
            var (observations, actions, rewards) = (new byte[rows * Observation.ByteCount], new int[rows], new float[rows]);
            var (discounts, ends) = (new float[rows], new StepEnd[rows]);
            for (var row = 0; row < rows; row++)
            {
                var environment = row % count;
                var observation = observations.AsSpan(row * Observation.ByteCount);
                var (lane, number) = (first + environment, _numbers[environment]);
                BinaryPrimitives.WriteInt16LittleEndian(observation, (short)lane);
                BinaryPrimitives.WriteInt32LittleEndian(observation[2..], number);
                ends[row] = random.NextInt32(10) switch { 0 => StepEnd.Ended, 1 => StepEnd.Cut, _ => StepEnd.GoesOn };
                (actions[row], rewards[row], discounts[row]) = (lane, number, ends[row] == StepEnd.GoesOn ? Discount : 0);
                if (_last[environment] >= 0) model.Join(_last[environment], model.Count);
                _last[environment] = ends[row] == StepEnd.GoesOn ? model.Count : -1;
                model.Add(new Step(lane, number, lane, number, discounts[row], 0, 0), ends[row]);
                _numbers[environment]++;
            }
            memory.Insert(_lanes, new TransitionSegment
            {
                Observations = observations,
                Actions = actions,
                Rewards = rewards,
                Discounts = discounts,
                Ends = ends,
            });
        }
    }
}

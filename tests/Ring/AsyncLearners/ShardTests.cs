using System.Runtime.InteropServices;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Ring.Tests;

public sealed class ShardTests
{
    private const int Parameters = 103, Frames = 5, Learner = 2, Chunk = 16;
    private const float Rate = 0.01f;

    [Fact]
    public void Ranges_cover_the_vector_exactly_for_any_number_of_shards()
    {
        foreach (var total in (int[])[1, 2, 3, 16, 63, 64, 65, 100, 4675, 1_000_003, int.MaxValue])
            for (var shards = 1; shards <= Math.Min(total, ShardRange.MaxShards); shards++)
            {
                var ranges = ShardRange.Split(total, shards);
                Assert.Equal(shards, ranges.Length);
                Assert.Equal((0, total), (ranges[0].Start, ranges[^1].End));
                Assert.All(ranges.Skip(1).Zip(ranges), pair => Assert.Equal(pair.Second.End, pair.First.Start));
                Assert.InRange(ranges.Max(range => range.Count) - ranges.Min(range => range.Count), 0, 1);
                Assert.All(ranges, range => Assert.True(range.Count > 0 && range.Total == total));
            }
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardRange.Split(3, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardRange.Split(100, 0));
    }

    [Theory]
    [InlineData(UpdateRule.SharedRmsProp, GradientEncoding.Float32)]
    [InlineData(UpdateRule.SharedRmsProp, GradientEncoding.Float16)]
    [InlineData(UpdateRule.RmsProp, GradientEncoding.Float32)]
    [InlineData(UpdateRule.Momentum, GradientEncoding.Float16)]
    [InlineData(UpdateRule.AdaGrad, GradientEncoding.Float32)]
    public void Any_number_of_shards_does_what_one_server_does_to_the_bit(UpdateRule rule, GradientEncoding encoding)
    {
        var whole = Trained(1);
        foreach (var shards in (int[])[2, 3, 7, 64]) Assert.Equal(whole, Trained(shards));

        float[] Trained(int shards)
        {
            var servers = Array.ConvertAll(ShardRange.Split(Parameters, shards), range => new Server(range, rule));
            for (var sequence = 0; sequence < 20; sequence++)
                foreach (var server in servers)
                    Assert.Equal(GradientRejection.None, server.Send(sequence, encoding));
            return [.. servers.SelectMany(server => server.Shared.Values.ToArray()), .. servers.SelectMany(server => server.Target.Values)];
        }
    }

    [Fact]
    public void A_part_of_another_range_length_or_run_is_refused_before_anything_is_touched()
    {
        var server = new Server(ShardRange.Split(Parameters, 3)[1], UpdateRule.SharedRmsProp);
        server.Send(0, GradientEncoding.Float32);
        var before = server.Shared.Values.ToArray();
        var (range, good) = (server.Range, server.Parts(1, GradientEncoding.Float32)[0]);
        PushGradient[] lengths =
        [
            good with { Offset = range.Start - 1 }, good with { Offset = 0 }, good with { Offset = range.End }, good with { Offset = range.End - 1 },
            good with { Offset = int.MaxValue - 2 }, good with { Total = Parameters + 1 }, good with { Total = range.Count },
            good with { Values = new byte[(range.Count + 1) * sizeof(float)] },
        ];
        Assert.All(lengths, part => Assert.Equal(GradientRejection.WrongLength, server.Intake.Take(part)));
        foreach (var norm in (float[])[float.NaN, float.PositiveInfinity])
            Assert.Equal(GradientRejection.NotFinite, server.Intake.Take(good with { Segment = good.Segment with { GradientNorm = norm } }));
        Assert.Equal(GradientRejection.WrongVersion, server.Intake.Take(good with { Version = good.Version with { Epoch = 5 } }));
        Assert.Equal((lengths.Length, 2, 1), (
            server.Shared.Rejected(GradientRejection.WrongLength), server.Shared.Rejected(GradientRejection.NotFinite),
            server.Shared.Rejected(GradientRejection.WrongVersion)));
        Assert.Equal(2, server.Intake.TakeProgress().NotFinite);
        Assert.Equal(before, server.Shared.Values);
        Assert.Equal(1, server.Shared.Updates);
        Assert.Equal(GradientRejection.None, server.Send(1, GradientEncoding.Float32));
    }

    [Fact]
    public void A_gradient_ends_with_the_last_shards_answer_and_a_refusal_by_several_counts_once()
    {
        var gradients = new GradientsInFlight(3);
        var buffer = new byte[1];
        for (var sequence = 0; sequence < 3; sequence++) gradients.Send(sequence, sequence == 0 ? buffer : new byte[1], TimeSpan.FromSeconds(sequence));
        Assert.Null(gradients.Answer(0, 2, GradientRejection.None));
        Assert.Null(gradients.Answer(0, 0, GradientRejection.None));
        Assert.Null(gradients.Answer(0, 0, GradientRejection.None));
        Assert.Same(buffer, gradients.Answer(0, 1, GradientRejection.None));
        Assert.Null(gradients.Answer(0, 1, GradientRejection.None));
        foreach (var (shard, rejection) in (ReadOnlySpan<(int, GradientRejection)>)[(1, GradientRejection.NotFinite), (0, GradientRejection.None)])
            Assert.Null(gradients.Answer(1, shard, rejection));
        Assert.NotNull(gradients.Answer(1, 2, GradientRejection.WrongLength));
        Assert.Equal((3, 1, 1, 1), (gradients.Ledger.Sent, gradients.Ledger.Consumed, gradients.Ledger.Rejected, gradients.Ledger.Count(UnrollOutcome.NotFinite)));
        // A shard that is gone answers no more: the credit is back, late answers of the others change nothing.
        gradients.Answer(2, 0, GradientRejection.None);
        Assert.Equal(1, gradients.Lose(1));
        Assert.Null(gradients.Answer(2, 2, GradientRejection.None));
        Assert.Null(gradients.Answer(2, 1, GradientRejection.None));
        Assert.Equal((1, 0), (gradients.Ledger.Lost, gradients.Ledger.InFlight));
    }

    [Fact]
    public void A_gradient_that_a_shard_never_answered_is_forgotten_with_the_next_one_that_all_answered()
    {
        var gradients = new GradientsInFlight(2);
        for (var sequence = 0; sequence < 100; sequence += 2)
        {
            for (var i = 0; i < 2; i++) gradients.Send(sequence + i, new byte[1], TimeSpan.FromSeconds(sequence));
            // The first one's answer by shard 1 gets lost; the second one's comes after both expired.
            gradients.Answer(sequence, 0, GradientRejection.None);
            gradients.Answer(sequence + 1, 0, GradientRejection.None);
            Assert.Equal(2, gradients.Expire(TimeSpan.MaxValue));
            Assert.Equal(2, gradients.Awaited);
            gradients.Answer(sequence + 1, 1, GradientRejection.None);
            Assert.Equal(0, gradients.Awaited);
        }
        Assert.Equal((100, 50, 50), (gradients.Ledger.Sent, gradients.Ledger.Consumed, gradients.Ledger.Lost));
    }

    [Fact]
    public void What_a_lost_shard_had_applied_after_its_checkpoint_is_counted_once_by_whoever_knows_most()
    {
        var shared = new SharedParameters(new float[Parameters], new SharedParametersOptions());
        var book = new ShardBook(shared, new GradientLedger(shared), 2);
        book.Begin(runEpoch: 3, null);
        var epoch = book.BeginEpoch(1);
        Assert.Equal(3 * 4096, epoch);
        var server = new Server(book.Range(1), UpdateRule.SharedRmsProp, epoch, book.StateOf(1));
        for (var sequence = 0; sequence < 4; sequence++) server.Send(sequence, GradientEncoding.Float32);
        book.Take(1, server.Checkpoint());
        Assert.Equal(server.Shared.Values, shared.Values[book.Range(1).Start..]);
        Assert.True(book.Take(Report(epoch, 7)));
        Assert.False(book.Take(Report(epoch - 1, 90)));
        Assert.Equal((7, 4, 0), (book.UpdatesOf(1), book.SavedUpdatesOf(1), book.Updates));

        Assert.Equal(3, book.Lose(1));
        Assert.Equal(0, book.See(new ShardVersion(1, epoch, 6)));
        Assert.Equal(2, book.See(new ShardVersion(1, epoch, 9)));
        Assert.Equal(0, book.See(new ShardVersion(1, epoch, 9)));
        Assert.Equal(0, book.See(new ShardVersion(1, epoch - 1, 90)));
        Assert.Equal(epoch + 1, book.BeginEpoch(1));
        Assert.False(book.Take(Report(epoch, 90)));
        // It begins with its checkpoint: what that holds it refuses, and what was computed with lost versions too.
        var next = new Server(book.Range(1), UpdateRule.SharedRmsProp, epoch + 1, book.StateOf(1));
        Assert.Equal(4, next.Shared.Updates);
        Assert.Equal(GradientRejection.Duplicate, next.Send(3, GradientEncoding.Float32));
        Assert.Equal(GradientRejection.WrongVersion, next.Intake.Take(next.Parts(9, GradientEncoding.Float32)[0] with { Version = new ParameterVersion(epoch, 4) }));
        Assert.Equal(GradientRejection.None, next.Send(4, GradientEncoding.Float32));

        ShardReport Report(int at, long updates) => new(1, at, updates * Frames, updates, 0, server.Intake.TakeProgress());
    }

    [Fact]
    public void What_a_shard_lost_before_the_checkpoint_is_not_counted_again_by_nodes_that_outlive_the_leader()
    {
        var state = NewState();
        state.Begin(0, 0);
        foreach (var shard in (int[])[0, 1])
        {
            var epoch = state.Shards!.BeginEpoch(shard);
            state.Shards.Take(new ShardReport(shard, epoch, 300 * Frames, 300, 0, new LearnerLog().Take()));
            Assert.Equal(300, state.LoseShard(shard));
        }
        var saved = state.Save();
        var resumed = NewState();
        resumed.Resume(saved, 1, 0, 0);
        Assert.Equal(600, resumed.UnrollsRolledBack);
        // Of its learner's gradients shard 0 had applied those 300, and ten more after the checkpoint.
        for (var i = 0; i < 2; i++) resumed.CountRolledBack(new WorkersReturned([new ConsumptionClaim(Learner, 0, 310)], FirstSince: 0));
        Assert.Equal(610, resumed.UnrollsRolledBack);

        static AsyncState NewState() => new("a3c", new SharedParameters(new float[Parameters], new SharedParametersOptions()), shards: 2);
    }

    [Fact]
    public void A_checkpoint_of_all_shards_is_whole_and_may_be_split_otherwise()
    {
        var state = new AsyncState("a3c", new SharedParameters(new float[Parameters], new SharedParametersOptions()), shards: 2);
        state.Begin(0, 0);
        var book = state.Shards!;
        for (var i = 0; i < 2; i++)
        {
            var server = new Server(book.Range(i), UpdateRule.SharedRmsProp, book.BeginEpoch(i), book.StateOf(i));
            for (var sequence = 0; sequence < 3 + i; sequence++) server.Send(sequence, GradientEncoding.Float32);
            book.Take(i, server.Checkpoint());
        }
        var saved = state.Save();
        Assert.Equal([0, 15, 3, 51, 20, 4], saved.Tensor("shards").Int64s);
        Assert.Equal("15", saved.Text("frames"));

        foreach (var (shards, updates) in (ReadOnlySpan<(int, long[])>)[(0, []), (2, [3, 4]), (3, [3, 3, 3])])
        {
            var resumed = new AsyncState("a3c", new SharedParameters(new float[Parameters], new SharedParametersOptions()), shards);
            resumed.Resume(saved, 1, 3, 0);
            Assert.Equal(state.Shared.Values, resumed.Shared.Values);
            Assert.Equal(state.Shared.Squares, resumed.Shared.Squares);
            Assert.Equal((3, 15), (resumed.Report(0).Updates, resumed.Report(0).Frames));
            Assert.Equal(updates, Enumerable.Range(0, shards).Select(i => resumed.Shards!.UpdatesOf(i)));
            for (var i = 0; i < shards; i++)
                Assert.Equal(state.Shared.Values.Slice(resumed.Shards!.Range(i).Start, resumed.Shards.Range(i).Count), resumed.Shards.StateOf(i).Tensor("parameters").Floats);
        }
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_changes_nothing()
    {
        var shared = new SharedParameters(new float[Parameters], new SharedParametersOptions());
        var book = new ShardBook(shared, new GradientLedger(shared), 2);
        book.Begin(0, null);
        var other = new Server(new ShardRange(0, 5, Parameters), UpdateRule.SharedRmsProp);
        other.Send(0, GradientEncoding.Float32);
        Assert.Throws<CheckpointFormatException>(() => book.Take(0, other.Checkpoint()));
        Assert.Throws<CheckpointFormatException>(() => book.Take(0, new Checkpoint()));
        Assert.Equal((0, 0), (book.SavedUpdatesOf(0), shared.Updates));
        Assert.Throws<CheckpointFormatException>(() => ShardStates.Decode([1, 2, 3]));
    }

    /// <summary>A server of one shard, without actors, and what a learner sends it.</summary>
    private sealed class Server
    {
        private readonly int _epoch;
        private readonly GradientLedger _ledger;

        public Server(ShardRange range, UpdateRule rule, int epoch = 0, Checkpoint? state = null)
        {
            (Range, _epoch) = (range, epoch);
            Shared = new SharedParameters(new float[range.Count], new SharedParametersOptions { Rule = rule });
            _ledger = new GradientLedger(Shared);
            if (state is not null) _ledger.Load(state);
            Target = new TargetParameters(Shared, 7 * Frames);
            Intake = new GradientIntake(
                new GradientIntakeSetup(Shared, _ledger, Target, new LinearSchedule(Rate, 0, 1000), Frames, epoch) { Range = range });
            Assert.True(Intake.TryRegister(Learner, 0));
        }

        public ShardRange Range { get; }

        public SharedParameters Shared { get; }

        public TargetParameters Target { get; }

        public GradientIntake Intake { get; }

        public Checkpoint Checkpoint() => ShardStates.Decode(ShardStates.Encode(new Checkpoint { Tensors = _ledger.Save() }).ToArray());

        public GradientRejection Send(int sequence, GradientEncoding encoding) =>
            Assert.Single(Parts(sequence, encoding).Select(Intake.Take).OfType<GradientRejection>());

        public List<PushGradient> Parts(int sequence, GradientEncoding encoding)
        {
            float[] gradient = [.. Enumerable.Range(0, Parameters).Select(i => MathF.Sin((sequence * 100) + i))];
            var size = GradientEncodings.BytesPerValue(encoding);
            var bytes = new byte[Parameters * size];
            var scale = GradientEncodings.Encode(gradient, 1, encoding, bytes);
            var segment = new SegmentReport(Frames, [], [], 0, new ActorCriticLossValues(Frames, 1, 1, 1), 2);
            var parts = new List<PushGradient>();
            for (var at = Range.Start; at < Range.End; at += Chunk)
            {
                var length = Math.Min(Chunk, Range.End - at);
                parts.Add(new PushGradient(
                    new UnrollId(Learner, 0, sequence), new ParameterVersion(_epoch, 0), Parameters, at, encoding, scale,
                    bytes.AsMemory(at * size, length * size), segment));
            }
            return parts;
        }
    }
}

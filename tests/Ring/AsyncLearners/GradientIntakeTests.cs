using System.Runtime.InteropServices;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Ring.Tests;

public sealed class GradientIntakeTests
{
    private const int Parameters = 40, Frames = 5, Epoch = 3, Learner = 7, Incarnation = Epoch * 4096;
    private const float Rate = 0.01f;

    private readonly SharedParameters _shared = New();
    private readonly GradientLedger _ledger;
    private readonly GradientIntake _intake;

    public GradientIntakeTests()
    {
        _ledger = new GradientLedger(_shared);
        _intake = Intake(_shared, _ledger);
        Assert.True(_intake.TryRegister(Learner, Incarnation));
    }

    [Fact]
    public void A_gradient_from_another_node_does_what_one_of_this_process_does_to_the_bit()
    {
        var twin = New();
        var local = twin.CreateLocal();
        for (var sequence = 0; sequence < 5; sequence++)
        {
            var gradient = Gradient(sequence);
            gradient.CopyTo(local.Gradient);
            twin.Apply(local, Rate, float.PositiveInfinity);
            Assert.Equal(GradientRejection.None, _intake.Take(Push(sequence, gradient)));
        }
        Assert.Equal(twin.Values, _shared.Values);
        Assert.Equal(twin.Squares, _shared.Squares);
        Assert.Equal((5, 5 * Frames), (_shared.Updates, _shared.Frames));
    }

    [Fact]
    public void Parts_are_put_together_and_a_gradient_that_lacks_one_changes_nothing()
    {
        var gradient = Gradient(1);
        PushGradient[] parts = [Part(Push(1, gradient), 0, 16), Part(Push(1, gradient), 16, 16), Part(Push(1, gradient), 32, 8)];
        Assert.Null(_intake.Take(parts[0]));
        Assert.Null(_intake.Take(parts[2]));
        Assert.Equal(0, _shared.Updates);
        // The next one begins anew, and nothing of the broken one is left.
        Assert.Equal([null, null, GradientRejection.None], Array.ConvertAll(
            [Part(Push(2, gradient), 0, 16), Part(Push(2, gradient), 16, 16), Part(Push(2, gradient), 32, 8)], _intake.Take));
        var twin = New();
        var local = twin.CreateLocal();
        gradient.CopyTo(local.Gradient);
        twin.Apply(local, Rate, float.PositiveInfinity);
        Assert.Equal(twin.Values, _shared.Values);
    }

    [Fact]
    public void Episodes_are_those_of_the_first_part()
    {
        var gradient = Push(0, Gradient(1));
        var others = gradient.Segment with { EpisodeReturns = [], EpisodeLengths = [], EpisodesLost = 0 };
        var first = gradient.Segment with { EpisodesLost = 3 };
        Assert.Null(_intake.Take(Part(gradient, 0, 16) with { Segment = first }));
        Assert.Equal(GradientRejection.None, _intake.Take(Part(gradient, 16, 24) with { Segment = others }));
        var progress = _intake.TakeProgress();
        Assert.Equal((1, 3), (Assert.Single(progress.EpisodeReturns), progress.EpisodesLost));
    }

    [Fact]
    public void What_one_report_cannot_hold_comes_with_later_ones()
    {
        const int most = GradientCodecs.MaxReportedEpisodes;
        for (var sequence = 0; sequence < 3; sequence++)
        {
            var push = Push(sequence, Gradient(sequence));
            var returns = Enumerable.Repeat((float)sequence, most - 1).ToArray();
            _intake.Take(push with { Segment = push.Segment with { EpisodeReturns = returns, EpisodeLengths = new int[most - 1], EpisodesLost = most } });
        }
        var reports = new List<LearnerProgress>();
        do reports.Add(_intake.TakeProgress());
        while (_intake.HasEpisodes);
        Assert.All(reports, report => Assert.InRange(report.EpisodeReturns.Length, 0, most));
        Assert.Equal((3, 3 * most, 3 * Frames), (reports.Sum(report => report.Updates), reports.Sum(report => report.EpisodesLost), reports.Sum(report => report.Frames)));
        float[] all = [.. reports.SelectMany(report => report.EpisodeReturns)];
        Assert.Equal(3 * (most - 1), all.Length);
        Assert.Equal(all.Order(), all);
    }

    [Fact]
    public void A_gradient_may_tell_of_so_many_frames_and_the_rest_stays_in_its_learners_log()
    {
        var most = GradientIntake.MostFrames(Frames);
        Assert.InRange(GradientIntake.MostFrames(1_000_000), int.MaxValue - 1_000_000, int.MaxValue);
        var log = new LearnerLog();
        log.AddFrames(most);
        log.AddFrames(Frames);
        for (var i = 0; i < 7; i++) log.AddEpisode(i, i);
        log.AddLostEpisode();
        var (first, rest) = (log.Take(most, 4), log.Take(most, 4));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], [.. first.EpisodeReturns, .. rest.EpisodeReturns]);
        Assert.Equal([4, 5, 6], rest.EpisodeLengths);
        Assert.Equal((most, Frames, 1, 0), (first.Frames, rest.Frames, first.EpisodesLost, rest.EpisodesLost));
        var push = Push(0, Gradient(0));
        Assert.Equal(GradientRejection.WrongLength, _intake.Take(push with { Segment = push.Segment with { Frames = most + Frames } }));
        Assert.Equal(GradientRejection.None, _intake.Take(push with { Segment = push.Segment with { Frames = most } }));
    }

    [Theory]
    [InlineData(GradientRejection.NotFinite)]
    [InlineData(GradientRejection.WrongLength)]
    [InlineData(GradientRejection.Duplicate)]
    [InlineData(GradientRejection.StaleIncarnation)]
    [InlineData(GradientRejection.UnknownLearner)]
    [InlineData(GradientRejection.WrongVersion)]
    public void What_must_not_be_applied_is_counted_and_touches_nothing(GradientRejection reason)
    {
        Assert.True(_intake.TryRegister(Learner, Incarnation + 1));
        var first = Push(5, Gradient(0)) with { Id = new UnrollId(Learner, Incarnation + 1, 5) };
        Assert.Equal(GradientRejection.None, _intake.Take(first));
        var (theta, squares) = (_shared.Values.ToArray(), _shared.Squares.ToArray());
        var next = first with { Id = first.Id with { Sequence = 6 } };
        PushGradient[] bad = reason switch
        {
            GradientRejection.NotFinite => [.. new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity }
                .SelectMany(value => new[] { 0, 17, Parameters - 1 }.Select(at => next with { Values = Bytes(With(Gradient(1), at, value)) })),
                next with { Segment = next.Segment with { Loss = new ActorCriticLossValues(Frames, 1, double.NaN, 1) } },
                next with { Segment = next.Segment with { Loss = new ActorCriticLossValues(Frames, 1, 1, -1e200) } }],
            GradientRejection.WrongLength => [next with { Total = Parameters + 1 }, next with { Segment = next.Segment with { Frames = 6 } },
                next with { Segment = next.Segment with { KeptBack = 1 } }, next with { Segment = next.Segment with { Frames = 2_000_000 * Frames } }],
            GradientRejection.Duplicate => [first, next with { Id = first.Id with { Sequence = 0 } }],
            GradientRejection.StaleIncarnation => [next with { Id = next.Id with { Incarnation = Incarnation } }],
            GradientRejection.UnknownLearner => [
                next with { Id = next.Id with { Worker = 8 } }, next with { Id = next.Id with { Incarnation = Incarnation + 2 } }],
            _ => [next with { Version = new ParameterVersion(Epoch - 1, 0) }, next with { Version = new ParameterVersion(Epoch, 2) }],
        };
        foreach (var push in bad) Assert.Equal(reason, _intake.Take(push));
        Assert.Equal(bad.Length, _shared.Rejected(reason));
        Assert.Equal(bad.Length, _shared.AllRejected);
        Assert.Equal((1, Frames), (_shared.Updates, _shared.Frames));
        Assert.Equal(theta, _shared.Values);
        Assert.Equal(squares, _shared.Squares);
        Assert.Equal(GradientRejection.None, _intake.Take(next));
        var progress = _intake.TakeProgress();
        Assert.Equal((2, 2 * Frames, 2), (progress.Updates, progress.Frames, progress.EpisodeReturns.Length));
    }

    [Theory]
    [InlineData(GradientEncoding.Float32)]
    [InlineData(GradientEncoding.Float16)]
    public void A_gradient_longer_than_learners_promise_is_clipped_and_one_that_keeps_the_promise_is_as_it_was_sent(GradientEncoding encoding)
    {
        const float promised = 0.5f;
        var gradient = Gradient(1);
        var clipped = new byte[Parameters * GradientEncodings.BytesPerValue(encoding)];
        var scale = GradientEncodings.Encode(gradient, promised / GradientClipping.Norm(gradient), encoding, clipped);
        var honest = Push(0, gradient) with { Encoding = encoding, Scale = scale, Values = clipped };
        Assert.Equal(After(honest, float.PositiveInfinity), After(honest, promised));

        var sent = gradient.Select(value => value * 1e30f).ToArray();
        var expected = New();
        var local = expected.CreateLocal();
        sent.CopyTo(local.Gradient);
        expected.Apply(local, Rate, 1.01f * promised);
        Assert.Equal(expected.Squares.ToArray(), After(Push(0, sent), promised));

        static float[] After(PushGradient push, float promised)
        {
            var shared = New();
            var setup = new GradientIntakeSetup(shared, new GradientLedger(shared), null, new LinearSchedule(Rate, Rate, 1000), Frames, Epoch);
            var intake = new GradientIntake(setup with { MaxGradientNorm = promised });
            intake.TryRegister(Learner, Incarnation);
            Assert.Equal(GradientRejection.None, intake.Take(push));
            return shared.Squares.ToArray();
        }
    }

    [Fact]
    public void A_resumed_server_knows_what_the_checkpoint_holds_and_applies_none_of_it_again()
    {
        for (var sequence = 0; sequence < 4; sequence++) _intake.Take(Push(sequence, Gradient(sequence)));
        var saved = new Checkpoint { Metadata = new Dictionary<string, string>(), Tensors = [.. _ledger.Save()] };
        for (var sequence = 4; sequence < 7; sequence++) _intake.Take(Push(sequence, Gradient(sequence)));

        var shared = New();
        var ledger = new GradientLedger(shared);
        ledger.Load(saved);
        Assert.Equal((4, 4), (shared.Updates, ledger.Applied));
        // Whoever outlived the server, and was not told, sends what it sent before: no number of that is taken.
        var intake = Intake(shared, ledger);
        intake.TryRegister(Learner, Incarnation);
        var before = shared.Values.ToArray();
        for (var sequence = 0; sequence < 4; sequence++)
            Assert.Equal(GradientRejection.Duplicate, intake.Take(Push(sequence, Gradient(sequence))));
        Assert.Equal(before, shared.Values);
        // It has heard of seven.
        var rolledBack = new RollbackCounter();
        ledger.CountRolledBack(rolledBack, new WorkersReturned([new ConsumptionClaim(Learner, Incarnation, 7)], Incarnation));
        Assert.Equal(3, rolledBack.Total);
    }

    [Fact]
    public void The_one_gradient_whose_frames_cross_the_interval_refreshes_the_target()
    {
        var target = new TargetParameters(_shared, 2 * Frames);
        var intake = Intake(_shared, _ledger, target);
        intake.TryRegister(Learner, Incarnation);
        var initial = target.Values;
        intake.Take(Push(0, Gradient(0)));
        Assert.Same(initial, target.Values);
        intake.Take(Push(1, Gradient(1)));
        Assert.Equal(_shared.Values, target.Values);
        Assert.Equal(1, target.Refreshes);
    }

    [Fact]
    public void A_learner_that_is_gone_is_refused_until_it_registers_again_and_an_older_incarnation_never_can()
    {
        _intake.TryRegister(Learner, Incarnation + 1);
        _intake.Forget(Learner);
        Assert.Equal(GradientRejection.UnknownLearner, _intake.Take(Push(0, Gradient(0))));
        Assert.False(_intake.TryRegister(Learner, Incarnation));
        Assert.True(_intake.TryRegister(Learner, Incarnation + 1));
    }

    [Fact]
    public void Segments_without_a_gradient_are_counted_with_the_next_and_so_are_gradients_that_were_kept_back()
    {
        var push = Push(0, Gradient(0));
        Assert.Equal(GradientRejection.None, _intake.Take(push with { Segment = push.Segment with { Frames = 7 * Frames, KeptBack = 2 } }));
        Assert.Equal((7 * Frames, 2), (_shared.Frames, _shared.Rejected(GradientRejection.OutlierLoss)));
        var progress = _intake.TakeProgress();
        Assert.Equal((7 * Frames, 1, 2, 2), (progress.Frames, progress.Updates, progress.Rejected, progress.KeptBack));
    }

    [Fact]
    public void The_frames_of_a_stale_gradient_count_and_nothing_else_of_it()
    {
        var shared = new SharedParameters(new float[Parameters], new SharedParametersOptions { MaxStaleness = 1 });
        var ledger = new GradientLedger(shared);
        var intake = Intake(shared, ledger);
        intake.TryRegister(Learner, Incarnation);
        for (var sequence = 0; sequence < 2; sequence++) Assert.Equal(GradientRejection.None, intake.Take(Push(sequence, Gradient(sequence))));
        var before = shared.Values.ToArray();
        Assert.Equal(GradientRejection.Stale, intake.Take(Push(2, Gradient(2))));
        Assert.Equal((2, 3 * Frames, 1), (shared.Updates, shared.Frames, shared.Rejected(GradientRejection.Stale)));
        Assert.Equal(before, shared.Values);
        Assert.Equal(3, intake.TakeProgress().EpisodeReturns.Length);
        // Delivered again it is known, and its frames and episodes count no more.
        for (var i = 0; i < 2; i++) Assert.Equal(GradientRejection.Duplicate, intake.Take(Push(2, Gradient(2))));
        Assert.Equal((3 * Frames, 1, 2), (shared.Frames, shared.Rejected(GradientRejection.Stale), shared.Rejected(GradientRejection.Duplicate)));
        Assert.Empty(intake.TakeProgress().EpisodeReturns);
        Assert.Equal(2, ledger.Applied);
        Assert.Equal(GradientRejection.None, intake.Take(Push(3, Gradient(3)) with { Version = new ParameterVersion(Epoch, 2) }));
    }

    [Fact]
    public void Staleness_is_what_others_applied_since_the_parameters_were_read()
    {
        for (var sequence = 0; sequence < 3; sequence++) _intake.Take(Push(sequence, Gradient(sequence)));
        _intake.TakeProgress();
        _intake.Take(Push(3, Gradient(3)) with { Version = new ParameterVersion(Epoch, 1) });
        Assert.Equal(2, _intake.TakeProgress().StalenessMax);
    }

    private static SharedParameters New() => new(new float[Parameters], new SharedParametersOptions());

    private static GradientIntake Intake(SharedParameters shared, GradientLedger ledger, TargetParameters? target = null) =>
        new(new GradientIntakeSetup(shared, ledger, target, new LinearSchedule(Rate, Rate, 1000), Frames, Epoch));

    private static float[] Gradient(int seed) => [.. Enumerable.Range(0, Parameters).Select(i => MathF.Sin((seed * 100) + i))];

    private static float[] With(float[] gradient, int at, float value)
    {
        gradient[at] = value;
        return gradient;
    }

    private static byte[] Bytes(float[] gradient) => MemoryMarshal.AsBytes(gradient.AsSpan()).ToArray();

    private static PushGradient Part(PushGradient whole, int offset, int count) => whole with
    {
        Offset = offset,
        Values = whole.Values.Slice(offset * sizeof(float), count * sizeof(float)),
    };

    private static PushGradient Push(long sequence, float[] gradient) => new(
        new UnrollId(Learner, Incarnation, sequence), new ParameterVersion(Epoch, 0), Parameters, 0, GradientEncoding.Float32, 1, Bytes(gradient),
        new SegmentReport(Frames, [1], [3], 0, new ActorCriticLossValues(Frames, 1, 1, 1), 2));
}

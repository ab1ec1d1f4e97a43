using FsCheck;
using FsCheck.Fluent;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Node.Tests.Clustering;

/// <summary>Any message of each type in the table.</summary>
internal static class WireMessages
{
    private static readonly Gen<int> Index =
        Gen.OneOf(Gen.Choose(0, 300), Gen.Choose(0, int.MaxValue), Gen.Elements(0, 127, 128, 65535, 65536, int.MaxValue));

    private static readonly Gen<long> Count =
        Gen.OneOf(Index.Select(value => (long)value), Gen.Elements(uint.MaxValue, 1L + uint.MaxValue, long.MaxValue));

    private static readonly Gen<UnrollId> Id =
        from worker in Index
        from incarnation in Index
        from sequence in Count
        select new UnrollId(worker, incarnation, sequence);

    private static readonly Gen<Unroll> AnUnroll =
        from steps in Gen.Choose(1, 6)
        from environments in Gen.Choose(1, 9)
        from actions in Gen.Choose(1, 7)
        from type in Gen.Elements(Enum.GetValues<ElementType>())
        from dimensions in Gen.Choose(1, 3)
        from sizes in Gen.Choose(1, 5).ArrayOf(dimensions)
        from seed in Gen.Choose(0, int.MaxValue)
        select SampleUnrolls.Filled(new UnrollShape(steps, environments, new ObservationSpec(type, sizes), actions), seed);

    private static readonly Gen<WorkerReport> Report = Index.ArrayOf(2).Zip(Count.ArrayOf(8), (who, counts) => new WorkerReport(
        who[0], who[1], counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6], counts[7]));

    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.Elements("", "run", "a: b\n", "\u00e9\u4e2d", new string('x', 70_000)), Gen.Choose(32, 126).ArrayOf().Select(codes => string.Concat(codes.Select(code => (char)code))));

    private static readonly Gen<string> ShortText = Text.Where(text => text.Length <= 200);

    private static readonly Gen<int> Shard = Gen.Choose(0, ShardRange.MaxShards - 1);

    private static readonly Gen<ParameterVersion> Version = Index.Zip(Count, (epoch, counter) => new ParameterVersion(epoch, counter));

    private static readonly Gen<ParametersChunk> Chunk =
        from version in Version
        from before in Gen.Choose(0, 5)
        from count in Gen.Choose(1, 5000)
        from after in Gen.Choose(0, 5)
        from value in Gen.Choose(-1000, 1000)
        select new ParametersChunk(
            version, before + count + after, before, Enumerable.Range(0, before + count).Select(i => value + i / 7f).ToArray().AsMemory(before));

    private static readonly Gen<PushGradient> Gradient =
        from id in Id
        from version in Version
        from encoding in Gen.Elements(Enum.GetValues<GradientEncoding>())
        from before in Gen.Choose(0, 5)
        from count in Gen.Choose(1, 5000)
        from after in Gen.Choose(0, 5)
        from frames in Gen.Choose(1, int.MaxValue)
        from returns in Gen.Choose(-1000, 1000).ArrayOf()
        from lost in Count
        select new PushGradient(
            id, version, before + count + after, before, encoding, MathF.ScaleB(1, (returns.Length % 200) - 100),
            Enumerable.Range(0, count * GradientEncodings.BytesPerValue(encoding)).Select(i => (byte)i).ToArray(),
            new SegmentReport(
                frames, [.. returns.Select(value => value / 7f)], [.. returns.Select(Math.Abs)], lost % 60_000,
                new ActorCriticLossValues(lost % int.MaxValue, -0.5, 2, 3), 40, frames - 1, lost % (1L << 40)));

    public static IReadOnlyDictionary<Type, Gen<object>> Generators { get; } = new Dictionary<Type, Gen<object>>
    {
        [typeof(RegisterWorker)] = Boxed(Id.Select(id => new RegisterWorker(id.Worker, id.Incarnation, id.Sequence))),
        [typeof(InsertUnroll)] = Boxed(AnUnroll.Select(unroll => new InsertUnroll(unroll))),
        [typeof(CreditsGranted)] = Boxed(Id.Zip(
            Gen.Choose(0, ReplayCodecs.MaxBatch), (id, count) => new CreditsGranted(id.Worker, id.Incarnation, count))),
        [typeof(CreditReturned)] = Boxed(Id.Zip(
            Gen.Elements(Enum.GetValues<UnrollOutcome>()), (id, outcome) => new CreditReturned(id, outcome))),
        [typeof(SubscribeParameters)] = Gen.Constant<object>(SubscribeParameters.Instance),
        [typeof(WorkerReport)] = Boxed(Report),
        [typeof(ParametersReceived)] = Boxed(Version.Zip(Gen.Choose(1, int.MaxValue), (version, count) => new ParametersReceived(version, count))),
        [typeof(ParametersChunk)] = Boxed(Chunk),
        [typeof(PushGradient)] = Boxed(Gradient),
        [typeof(RequestTransitions)] = Boxed(Id.Select(id => new RequestTransitions(id.Worker, id.Incarnation, id.Sequence))),
        [typeof(TransitionsDrawn)] = Boxed(
            from id in Id
            from steps in Gen.Choose(0, 40)
            from bytes in Gen.Choose(1, 60)
            select new TransitionsDrawn(
                id.Worker, id.Incarnation, id.Sequence, [.. Enumerable.Range(0, 2 * steps * bytes).Select(i => (byte)i)],
                [.. Enumerable.Range(0, steps)], [.. Enumerable.Range(0, steps).Select(i => i / 3f)], [.. Enumerable.Range(0, steps).Select(i => i / 7f)])),
        [typeof(GradientAcknowledged)] = Boxed(
            from id in Id
            from rejection in Gen.Elements(Enum.GetValues<GradientRejection>())
            from version in Version
            from frames in Count
            from shard in Shard
            select new GradientAcknowledged(id, rejection, version, frames, shard)),
        [typeof(RegisterLearner)] = Boxed(Id.Zip(
            Text.Where(run => run.Length <= 200), (id, run) => new RegisterLearner(id.Worker, id.Incarnation, run))),
        [typeof(LearnerRegistered)] = Boxed(
            from id in Id
            from credits in Gen.Choose(1, 1 << 16)
            from shard in Shard
            select new LearnerRegistered(id.Worker, id.Incarnation, credits, id.Sequence, shard)),
        [typeof(OfferShards)] = Boxed(Gen.Choose(1, ShardRange.MaxShards).Select(slots => new OfferShards(slots))),
        [typeof(StartShard)] = Boxed(
            from run in ShortText
            from shard in Shard
            from numbers in Index.ArrayOf(3)
            from counts in Count.ArrayOf(4)
            from count in Gen.Choose(1, 1000)
            from rule in Gen.Elements(Enum.GetValues<UpdateRule>())
            from clock in Gen.Elements(Enum.GetValues<TargetClock>())
            select new StartShard(
                run, shard, numbers[0], new ShardRange(numbers[1] / 2, count, (numbers[1] / 2) + count + 7),
                new ShardLearning(
                    new SharedParametersOptions { Rule = rule, Decay = 0.5, Epsilon = 1e-3, MaxStaleness = counts[0] }, new LinearSchedule(0.25, 0.1, counts[1]),
                    count, counts[2], clock, counts[3], count)
                {
                    MaxGradientNorm = counts[0] % 2 == 0 ? float.PositiveInfinity : count,
                },
                new ParameterServerOptions { PublishMilliseconds = count, ChunkKilobytes = count, ChunksInFlight = count, MaxRolledBackUpdates = count + 2 })),
        [typeof(ShardStarted)] = Boxed(Shard.Zip(Index, (shard, epoch) => new ShardStarted(shard, epoch))),
        [typeof(ShardEnded)] = Boxed(from shard in Shard from epoch in Index from reason in ShortText select new ShardEnded(shard, epoch, reason)),
        [typeof(StateChunk)] = Boxed(
            from shard in Shard
            from epoch in Index
            from number in Count
            from before in Gen.Choose(0, 5)
            from count in Gen.Choose(1, 5000)
            select new StateChunk(shard, epoch, number, before + count + 3, before, Enumerable.Range(0, count).Select(i => (byte)i).ToArray())),
        [typeof(StateReceived)] = Boxed(
            from shard in Shard
            from number in Count
            from count in Gen.Choose(1, int.MaxValue)
            select new StateReceived(shard, count, number, count)),
        [typeof(ShardReport)] = Boxed(
            from shard in Shard
            from epoch in Index
            from any in Count.ArrayOf(13)
            let counts = Array.ConvertAll(any, count => count % (1L << 40))
            from returns in Gen.Choose(-1000, 1000).ArrayOf()
            select new ShardReport(shard, epoch, counts[0], counts[1], counts[2], new LearnerProgress
            {
                Frames = counts[3],
                Updates = counts[4],
                Rejected = counts[5],
                NotFinite = counts[6],
                KeptBack = counts[7],
                EpisodeReturns = [.. returns.Select(value => value / 7f)],
                EpisodeLengths = [.. returns.Select(Math.Abs)],
                EpisodesLost = counts[8],
                Loss = new ActorCriticLossValues(counts[9], -1, 2, 3.5),
                GradientNormSum = epoch / 3.0,
                StalenessSum = counts[10],
                StalenessMax = counts[11],
                SkewSum = counts[12],
                SkewMax = counts[0],
            })),
        [typeof(StopShard)] = Boxed(Index.Select(epoch => new StopShard(epoch))),
        [typeof(SaveShard)] = Boxed(Index.Select(epoch => new SaveShard(epoch))),
        [typeof(WhereAreShards)] = Boxed(
            (from shard in Shard from epoch in Index from updates in Count select new ShardVersion(shard, epoch, updates)).ArrayOf()
            .Where(seen => seen.Length <= 64).Select(seen => new WhereAreShards(seen))),
        [typeof(ShardPlaces)] = Boxed(
            Index.Zip(ShortText, (epoch, path) => new ShardPlace(epoch, path)).ArrayOf().Where(places => places.Length <= 64).Select(places => new ShardPlaces(places))),
        [typeof(OfferWorkers)] = Boxed(
            from workers in Gen.Choose(1, WorkerOptions.MaxCount)
            from run in Text
            from history in Report.ArrayOf()
            select new OfferWorkers(workers, run, history)),
        [typeof(WorkAssigned)] = Boxed(
            from run in Text
            from configuration in Text
            from version in Text
            from environment in Text
            from parameters in Gen.Choose(0, int.MaxValue)
            from epoch in Gen.Choose(0, WorkerIdentity.MaxEpoch)
            from first in Gen.Choose(0, 1 << 30)
            from workers in Gen.Choose(1, WorkerOptions.MaxCount)
            select new WorkAssigned(run, configuration, new BuildFacts(version, parameters, parameters / 3, environment), epoch, first, workers)),
        [typeof(WorkFailed)] = Boxed(Text.Select(reason => new WorkFailed(reason))),
        [typeof(StopWork)] = Gen.Constant<object>(StopWork.Instance),
        [typeof(WorkStopped)] = Gen.Constant<object>(WorkStopped.Instance),
    };

    public static void AssertSame(object expected, object actual)
    {
        switch (expected, actual)
        {
            case (InsertUnroll one, InsertUnroll other):
                SampleUnrolls.AssertSame(one.Unroll, other.Unroll);
                break;
            case (OfferWorkers one, OfferWorkers other):
                Assert.Equal((one.Workers, one.Run), (other.Workers, other.Run));
                Assert.Equal(one.History, other.History);
                break;
            case (ParametersChunk one, ParametersChunk other):
                Assert.Equal((one.Version, one.Total, one.Offset), (other.Version, other.Total, other.Offset));
                Assert.Equal(one.Values.ToArray(), other.Values.ToArray());
                break;
            case (StateChunk one, StateChunk other):
                Assert.Equal(one.Values.ToArray(), other.Values.ToArray());
                Assert.Equal(one, other with { Values = one.Values });
                break;
            case (TransitionsDrawn one, TransitionsDrawn other):
                Assert.Equal(one.Observations, other.Observations);
                Assert.Equal(one.Actions, other.Actions);
                Assert.Equal(one.Rewards, other.Rewards);
                Assert.Equal(one.Discounts, other.Discounts);
                Assert.Equal((one.Worker, one.Incarnation, one.Number), (other.Worker, other.Incarnation, other.Number));
                break;
            case (WhereAreShards one, WhereAreShards other):
                Assert.Equal(one.Seen, other.Seen);
                break;
            case (ShardPlaces one, ShardPlaces other):
                Assert.Equal(one.Places, other.Places);
                break;
            case (ShardReport one, ShardReport other):
                Assert.Equal(one.Progress.EpisodeReturns, other.Progress.EpisodeReturns);
                Assert.Equal(one.Progress.EpisodeLengths, other.Progress.EpisodeLengths);
                Assert.Equal(one, other with
                {
                    Progress = other.Progress with { EpisodeReturns = one.Progress.EpisodeReturns, EpisodeLengths = one.Progress.EpisodeLengths },
                });
                break;
            case (PushGradient one, PushGradient other):
                Assert.Equal(one.Values.ToArray(), other.Values.ToArray());
                Assert.Equal(one.Segment.EpisodeReturns, other.Segment.EpisodeReturns);
                Assert.Equal(one.Segment.EpisodeLengths, other.Segment.EpisodeLengths);
                var segment = other.Segment with { EpisodeReturns = one.Segment.EpisodeReturns, EpisodeLengths = one.Segment.EpisodeLengths };
                Assert.Equal(one, other with { Values = one.Values, Segment = segment });
                break;
            default:
                Assert.Equal(expected, actual);
                break;
        }
    }

    private static Gen<object> Boxed<T>(Gen<T> messages)
        where T : class => messages.Select(message => (object)message);
}

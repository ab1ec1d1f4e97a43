using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

/// <summary>The contract's checks can fail: each finds the environment that breaks just its rule.</summary>
public class FaultTests
{
    [Theory]
    [InlineData(Fault.OneTooMany, "size asked for")]
    [InlineData(Fault.SharedLuck, "same seed")]
    [InlineData(Fault.FixedLuck, "another seed")]
    [InlineData(Fault.UnwrittenFlag, "written in full")]
    [InlineData(Fault.UnwrittenObservation, "written in full")]
    [InlineData(Fault.Infinite, "finite")]
    [InlineData(Fault.FinalEverywhere, "exactly where episodes ended")]
    [InlineData(Fault.FinalNowhere, "exactly where episodes ended")]
    [InlineData(Fault.FinalShownOn, "exactly where episodes ended")]
    [InlineData(Fault.LazyReset, "at any time")]
    [InlineData(Fault.Allocates, "stepping allocates nothing")]
    [InlineData(Fault.DrawingAllocates, "drawing allocates nothing")]
    [InlineData(Fault.DrawingSteps, "drawing changes nothing")]
    [InlineData(Fault.EmptyPicture, "a picture can be drawn")]
    [InlineData(Fault.HalfSteps, "a bad action")]
    [InlineData(Fault.AcceptsLengths, "wrong length")]
    [InlineData(Fault.WrongException, "a bad action")]
    [InlineData(Fault.Throws, "same seed")]
    public void A_broken_rule_is_found(Fault fault, string check)
    {
        var checks = EnvironmentContract.Check((count, random) => new Faulty(fault, count, random), steps: 200);
        Assert.Contains(checks, found => !found.Passed && found.Name.Contains(check, StringComparison.Ordinal) && found.Reason.Length > 0);
    }

    [Fact]
    public void Without_a_fault_nothing_is_found()
    {
        var checks = EnvironmentContract.Check((count, random) => new Faulty(Fault.None, count, random), steps: 200);
        Assert.All(checks, check => Assert.True(check.Passed, check.ToString()));
    }

    public enum Fault
    {
        None, OneTooMany, SharedLuck, FixedLuck, UnwrittenFlag, UnwrittenObservation, Infinite, FinalEverywhere, FinalNowhere, FinalShownOn,
        LazyReset, Allocates, DrawingAllocates, DrawingSteps, EmptyPicture, HalfSteps, AcceptsLengths, WrongException, Throws,
    }

    /// <summary>Catch with one fault.</summary>
    private sealed class Faulty : IEnvironmentBatch
    {
        private static RandomStream _shared = RandomStream.Create(9, StreamRole.Scheduler);

        private readonly Fault _fault;
        private readonly IEnvironmentBatch _inner;
        private readonly byte[] _scratch;
        private bool _started;

        public Faulty(Fault fault, int count, RandomStream random)
        {
            _fault = fault;
            if (fault == Fault.SharedLuck) random.Seek(_shared.NextUInt32() % 64);
            if (fault == Fault.FixedLuck) random = RandomStream.Create(9, StreamRole.Environment);
            if (fault == Fault.OneTooMany) count++;
            _inner = EnvironmentRegistry.Default.Create(new EnvironmentOptions { Name = "catch" }, count, random);
            _scratch = new byte[count * Spec.Observation.ByteCount];
        }

        public EnvironmentSpec Spec => _inner.Spec;

        public int Count => _inner.Count;

        public void Reset(Span<byte> observations)
        {
            if (_fault == Fault.LazyReset && _started) return;
            _started = true;
            _inner.Reset(observations);
        }

        public void Step(ReadOnlySpan<int> actions, in StepResults results)
        {
            if (_fault == Fault.Throws) throw new InvalidOperationException("the game crashed");
            if (_fault == Fault.Allocates) GC.KeepAlive(new byte[1]);
            if (_fault == Fault.WrongException && actions.ContainsAnyExceptInRange(0, 2)) throw new IndexOutOfRangeException();
            if (_fault == Fault.HalfSteps && actions.ContainsAnyExceptInRange(0, 2)) StepUnseen();
            if (_fault == Fault.AcceptsLengths && results.Rewards.Length != Count) return;

            var flag = results.Truncated[0];
            var byteBefore = results.Observations[0];
            _scratch.AsSpan().Fill(results.FinalObservations[0]);
            _inner.Step(actions, results with { FinalObservations = _fault == Fault.FinalNowhere ? _scratch : results.FinalObservations });
            if (_fault == Fault.UnwrittenFlag) results.Truncated[0] = flag;
            if (_fault == Fault.UnwrittenObservation) results.Observations[0] = byteBefore;
            if (_fault == Fault.Infinite) results.Rewards[0] = float.PositiveInfinity;
            if (_fault == Fault.FinalEverywhere) results.FinalObservations.Fill(7);
            if (_fault == Fault.FinalShownOn && results.Terminated[0]) results.FinalObservations.CopyTo(results.Observations);
        }

        public void Step(ReadOnlySpan<float> actions, in StepResults results) => _inner.Step(actions, results);

        public void Render(int index, TextCanvas canvas)
        {
            if (_fault == Fault.DrawingAllocates) GC.KeepAlive(new byte[1]);
            if (_fault == Fault.DrawingSteps) StepUnseen();
            _inner.Render(index, canvas);
            if (_fault == Fault.EmptyPicture) canvas.Clear(3, 3);
        }

        private void StepUnseen() => _inner.Step(new int[Count], new StepResults
        {
            Observations = new byte[_scratch.Length], FinalObservations = new byte[_scratch.Length],
            Rewards = new float[Count], Terminated = new bool[Count], Truncated = new bool[Count],
        });
    }
}

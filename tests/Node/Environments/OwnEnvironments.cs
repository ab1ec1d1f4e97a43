using System.Diagnostics.CodeAnalysis;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Tests.Environments;

/// <summary>A sound environment: guess a number that is shown. The others derive from it, and break one thing.</summary>
public class Guess : IDiscreteEnvironment
{
    private int _shown;

    protected int Steps { get; private set; }

    public virtual EnvironmentSpec Spec => new("guess", new ObservationSpec(ElementType.Float32, 3), new DiscreteActionSpec(3));

    public virtual void Reset(ref RandomStream random, ObservationWriter observation)
    {
        Steps = 0;
        Show(ref random, observation);
    }

    public virtual Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
    {
        var right = action == _shown;
        Show(ref random, observation);
        return new Outcome(right ? 1 : 0, Truncated: ++Steps == 20);
    }

    private void Show(ref RandomStream random, ObservationWriter observation)
    {
        _shown = random.NextInt32(3);
        observation.Floats[_shown] = 1;
    }
}

public class GuessNaN : Guess
{
    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
    {
        var outcome = base.Step(action, ref random, observation);
        if (Steps == 7) observation.Floats[2] = float.NaN;
        return outcome;
    }
}

public class GuessInfinity : Guess
{
    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation) =>
        base.Step(action, ref random, observation) with { Reward = double.PositiveInfinity };
}

public class GuessThrows : Guess
{
    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation) =>
        Steps == 7 ? throw new InvalidOperationException("the dice fell off the table") : base.Step(action, ref random, observation);
}

public class GuessThrowsAtReset : Guess
{
    public override void Reset(ref RandomStream random, ObservationWriter observation) => throw new InvalidOperationException("no dice");
}

public class GuessTooLong : Guess
{
    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
    {
        observation.Floats[3] = 1;
        return base.Step(action, ref random, observation);
    }
}

public class GuessWrongView : Guess
{
    public override void Reset(ref RandomStream random, ObservationWriter observation) => observation.Bytes[0] = 1;
}

public class GuessUnrepeatable : Guess
{
    private static long _calls;

    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation) =>
        base.Step(action, ref random, observation) with { Reward = Interlocked.Increment(ref _calls) };
}

public class GuessAllocates : Guess
{
    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation) =>
        base.Step(new int[2 + action].Length - 2, ref random, observation);
}

public class GuessNoSpec : Guess
{
    public override EnvironmentSpec Spec => null!;
}

public class GuessNoActions : Guess
{
    public override EnvironmentSpec Spec => base.Spec with { Action = new DiscreteActionSpec(0) };
}

public class GuessNegativeShape : Guess
{
    public override EnvironmentSpec Spec => base.Spec with { Observation = new ObservationSpec(ElementType.Float32, 3, -1) };
}

public class GuessTooLarge : Guess
{
    public override EnvironmentSpec Spec => base.Spec with { Observation = new ObservationSpec(ElementType.Float32, 100_000, 100_000) };
}

public class GuessOtherKind : Guess
{
    public override EnvironmentSpec Spec => base.Spec with { Action = new ContinuousActionSpec([-1], [1]) };
}

public class GuessUnlike : Guess
{
    private static int _copies;

    private readonly int _actions = 1 + Interlocked.Increment(ref _copies);

    public override EnvironmentSpec Spec => base.Spec with { Action = new DiscreteActionSpec(_actions) };
}

public class GuessNotMade : Guess
{
    public GuessNotMade() => throw new InvalidOperationException("there is no table");
}

public class GuessWithArgument(int faces) : Guess
{
    public int Faces => faces;
}

public abstract class GuessAbstract : Guess;

[SuppressMessage("Style", "IDE0051", Justification = "Nobody makes it.")]
public class GuessHidden : Guess
{
    private GuessHidden()
    {
    }
}

/// <summary>Takes the options.</summary>
public class GuessWithOptions(EnvironmentOptions options) : Guess
{
    public override EnvironmentSpec Spec => base.Spec with { Action = new DiscreteActionSpec(options.MinimalActions == true ? 3 : 4) };
}

/// <summary>Takes the options, and has two lives; a wrong answer costs one.</summary>
public class GuessWithLives(EnvironmentOptions options) : Guess, IHasLives
{
    private readonly int[] _lives = [2];

    public override EnvironmentSpec Spec => base.Spec with { Name = options.Name };

    public ReadOnlySpan<int> Lives => _lives;

    public override void Reset(ref RandomStream random, ObservationWriter observation)
    {
        base.Reset(ref random, observation);
        _lives[0] = 2;
    }

    public override Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
    {
        var outcome = base.Step(action, ref random, observation);
        if (outcome.Reward == 0) _lives[0]--;
        return outcome with { Terminated = _lives[0] == 0 };
    }
}

/// <summary>No more than what all environments share.</summary>
public class GuessStepless : IEnvironment
{
    public EnvironmentSpec Spec => new Guess().Spec;

    public void Reset(ref RandomStream random, ObservationWriter observation)
    {
    }
}

public class Steer : IContinuousEnvironment
{
    private float _at;

    public EnvironmentSpec Spec => new("steer", new ObservationSpec(ElementType.UInt8, 2), new ContinuousActionSpec([-1, -1], [1, 1]));

    public void Reset(ref RandomStream random, ObservationWriter observation) => observation.Bytes[0] = (byte)(_at = random.NextInt32(100));

    public Outcome Step(ReadOnlySpan<float> action, ref RandomStream random, ObservationWriter observation)
    {
        _at += action[0] * action[1];
        observation.Bytes[1] = (byte)Math.Clamp(_at, 0, 255);
        return new Outcome(-Math.Abs(_at), Terminated: random.NextInt32(20) == 0);
    }
}

public class Flags : IDiscreteEnvironment
{
    public EnvironmentSpec Spec => new("flags", new ObservationSpec(ElementType.Bit, 19), new DiscreteActionSpec(2));

    public void Reset(ref RandomStream random, ObservationWriter observation) => observation.Flags[random.NextInt32(19)] = true;

    public Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
    {
        foreach (ref var flag in observation.Flags) flag = random.NextInt32(2) == 0;
        return new Outcome(1, Terminated: random.NextInt32(10) == 0);
    }
}

/// <summary>A batch of its own.</summary>
public class GuessBatch(int count, RandomStream random) : IEnvironmentBatch
{
    private readonly EnvironmentBatch _inner = new(() => new Guess(), count, random);

    public EnvironmentSpec Spec => _inner.Spec;

    public virtual int Count => _inner.Count;

    public void Reset(Span<byte> observations) => _inner.Reset(observations);

    public virtual void Step(ReadOnlySpan<int> actions, in StepResults results) => _inner.Step(actions, results);

    public void Step(ReadOnlySpan<float> actions, in StepResults results) => _inner.Step(actions, results);

    public void Render(int index, TextCanvas canvas) => _inner.Render(index, canvas);
}

public class GuessBatchOneMore(int count, RandomStream random) : GuessBatch(count, random)
{
    public override int Count => base.Count + 1;
}

public class GuessBatchThrows(int count, RandomStream random) : GuessBatch(count, random)
{
    public override void Step(ReadOnlySpan<int> actions, in StepResults results) => throw new InvalidOperationException("out of dice");
}

using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments.ClassicControl;

namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>Replays a classic-control trace: each step starts from the logged state and must end near the next one.</summary>
internal static class ControlTrace
{
    public const string Format = "classic-trace-1";

    private const double ObservationTolerance = 1e-6, RewardTolerance = 1e-9;

    public static void Replay<TTask, TAction>(TraceReader reader, TraceLine header)
        where TTask : struct, IControlTask<TTask, TAction>
        where TAction : unmanaged
    {
        var limit = header.Has("max_episode_steps") ? header.Integer("max_episode_steps") : TTask.Limit;
        if (limit < 1) throw new TraceException($"\"max_episode_steps\" must be at least 1, but is {limit}");
        var game = new TimeLimited<TTask, TAction>(limit);
        var observation = new float[TTask.Observations];
        var got = new double[TTask.StateSize];
        double[]? state = null; // Null until a reset.
        var steps = 0;
        var noDraws = new RecordedDraws([]);
        while (reader.Next(out var line))
        {
            var logged = line.Numbers("state", TTask.StateSize);
            if (line.Has("reset"))
            {
                Load(ref game, logged, steps = 0);
                CompareObservation(line, ref game, observation);
                state = logged;
                continue;
            }
            if (state is null) throw new TraceException("a reset must come first, and after every end of an episode");
            Load(ref game, state, steps++);
            var outcome = game.Step(Action<TTask, TAction>(line), ref noDraws);
            game.Save(got);
            for (var i = 0; i < got.Length; i++) Compare($"state[{i}]", logged[i], got[i], TTask.Tolerance);
            CompareObservation(line, ref game, observation);
            Compare("r", line.Number("r"), outcome.Reward, RewardTolerance);
            Compare("term", line.Flag("term"), outcome.Terminated);
            Compare("trunc", line.Flag("trunc"), outcome.Truncated);
            reader.CountStep(outcome.Ended);
            state = outcome.Ended ? null : logged;
        }
        if (reader.Steps == 0) throw new TraceException("the trace has no steps");
    }

    private static void Load<TTask, TAction>(ref TimeLimited<TTask, TAction> game, double[] state, int steps)
        where TTask : struct, IControlTask<TTask, TAction>
        where TAction : unmanaged
    {
        try
        {
            game.Load(state, steps);
        }
        catch (ArgumentException error)
        {
            var numbers = string.Join(", ", state.Select(TraceLine.Show));
            throw new TraceException($"no episode goes on from \"state\" [{numbers}]: {error.Message}");
        }
    }

    /// <summary>A whole number for discrete actions; for a continuous one a number, or a list of that one number.</summary>
    private static TAction Action<TTask, TAction>(TraceLine line)
        where TTask : struct, IControlTask<TTask, TAction>
        where TAction : unmanaged
    {
        if (TTask.Action is DiscreteActionSpec discrete)
        {
            var action = line.Integer("a");
            if ((uint)action >= (uint)discrete.Count)
                throw new TraceException($"\"a\" must be one of {TTask.Name}'s actions, 0 to {discrete.Count - 1}, but is {action}");
            return MemoryMarshal.Cast<int, TAction>([action])[0];
        }
        var force = line.Required("a").ValueKind == System.Text.Json.JsonValueKind.Array ? line.Numbers("a", 1)[0] : line.Number("a");
        return MemoryMarshal.Cast<float, TAction>([(float)force])[0];
    }

    private static void CompareObservation<TTask, TAction>(TraceLine line, ref TimeLimited<TTask, TAction> game, float[] observation)
        where TTask : struct, IControlTask<TTask, TAction>
        where TAction : unmanaged
    {
        var expected = line.Numbers("obs", observation.Length);
        game.Observe(MemoryMarshal.AsBytes(observation.AsSpan()));
        for (var i = 0; i < observation.Length; i++) Compare($"obs[{i}]", expected[i], observation[i], ObservationTolerance);
    }

    private static void Compare(string field, double expected, double got, double tolerance)
    {
        var distance = Math.Abs(expected - got);
        if (distance <= tolerance) return; // Not so where one is not a number.
        var found = $"{TraceLine.Show(got)}, off by {distance:0.0e0}; allowed is {tolerance:0e0}";
        throw new TraceException(field, TraceLine.Show(expected), found);
    }

    private static void Compare(string field, bool expected, bool got)
    {
        if (expected != got) throw new TraceException(field, expected ? "1" : "0", got ? "1" : "0");
    }
}

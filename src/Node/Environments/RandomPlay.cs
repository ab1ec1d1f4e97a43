using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Environments;

/// <summary>What random actions reach in an environment, and how fast it steps.</summary>
/// <param name="Episodes">Episodes that ended, the first ones of each copy: short ones are not preferred.</param>
/// <param name="MeanReturn">Their mean return, not discounted; NaN where none ended.</param>
/// <param name="Deviation">The standard deviation of one return.</param>
/// <param name="MeanLength">Their mean length, in steps.</param>
/// <param name="StepsPerSecond">Of all copies together on one thread, with the drawing of actions.</param>
internal sealed record RandomPlay(int Episodes, double MeanReturn, double Deviation, double MeanLength, double StepsPerSecond)
{
    private const int Copies = 32;
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(0.5), Limit = TimeSpan.FromSeconds(5);

    /// <param name="environments">Where the environment is known.</param>
    /// <param name="options">The environment.</param>
    /// <param name="episodes">How many to play, unless that takes too long.</param>
    /// <param name="clock">Measures the time.</param>
    public static RandomPlay Measure(EnvironmentRegistry environments, EnvironmentOptions options, int episodes, TimeProvider clock)
    {
        var batch = environments.Create(options, Copies, RandomStream.Create(1, StreamRole.EvaluationEnvironment));
        using var owner = batch as IDisposable;
        var play = new Player(batch, (episodes + Copies - 1) / Copies);
        // The first steps are slow: they are compiled.
        for (var i = 0; i < 16; i++) play.Step();
        var begun = clock.GetTimestamp();
        var steps = 0L;
        var seconds = 0.0;
        do
        {
            for (var i = 0; i < 16; i++, steps += Copies) play.Step();
            seconds = clock.GetElapsedTime(begun).TotalSeconds;
        }
        while (seconds < Least.TotalSeconds || (!play.IsComplete && seconds < Limit.TotalSeconds));
        return play.Result(steps / seconds);
    }

    public override string ToString() => Episodes == 0
        ? $"     random play  no episode ended; {StepsPerSecond:N0} steps/s"
        : $"     random play  return {MeanReturn:0.###} ± {Deviation:0.###} (standard deviation), length {MeanLength:0.#}, {Episodes:N0} episodes; "
            + $"{StepsPerSecond:N0} steps/s";

    private sealed class Player
    {
        private readonly IEnvironmentBatch _batch;
        private readonly int _episodesPerCopy, _dimensions;
        private readonly byte[] _observations, _finals;
        private readonly float[] _rewards = new float[Copies], _forces;
        private readonly bool[] _terminated = new bool[Copies], _truncated = new bool[Copies];
        private readonly StepNotes[] _notes = new StepNotes[Copies];
        private readonly int[] _actions = new int[Copies], _length = new int[Copies], _ended = new int[Copies];
        private readonly double[] _return = new double[Copies];
        private readonly List<double> _returns = [], _lengths = [];
        private RandomStream _random = RandomStream.Create(1, StreamRole.EvaluationPolicy);

        public Player(IEnvironmentBatch batch, int episodesPerCopy)
        {
            (_batch, _episodesPerCopy) = (batch, episodesPerCopy);
            _dimensions = (batch.Spec.Action as ContinuousActionSpec)?.Dimensions ?? 0;
            _forces = new float[Copies * _dimensions];
            (_observations, _finals) = (new byte[Copies * batch.Spec.Observation.ByteCount], new byte[Copies * batch.Spec.Observation.ByteCount]);
            batch.Reset(_observations);
        }

        public bool IsComplete => _ended.All(count => count >= _episodesPerCopy);

        public void Step()
        {
            Array.Clear(_notes);
            var results = new StepResults
            {
                Observations = _observations, FinalObservations = _finals, Rewards = _rewards, Terminated = _terminated, Truncated = _truncated,
                Notes = _notes,
            };
            if (_batch.Spec.Action is ContinuousActionSpec continuous)
            {
                for (var i = 0; i < _forces.Length; i++)
                {
                    var (low, high) = (continuous.Low[i % _dimensions], continuous.High[i % _dimensions]);
                    _forces[i] = low + (high - low) * _random.NextSingle();
                }
                _batch.Step(_forces, results);
            }
            else
            {
                for (var i = 0; i < _actions.Length; i++) _actions[i] = _random.NextInt32(_batch.Spec.DiscreteActions);
                _batch.Step(_actions, results);
            }
            for (var i = 0; i < Copies; i++) Account(i);
        }

        public RandomPlay Result(double stepsPerSecond)
        {
            if (_returns.Count == 0) return new RandomPlay(0, double.NaN, double.NaN, double.NaN, stepsPerSecond);
            var mean = _returns.Average();
            var deviation = Math.Sqrt(_returns.Sum(value => (value - mean) * (value - mean)) / Math.Max(1, _returns.Count - 1));
            return new RandomPlay(_returns.Count, mean, deviation, _lengths.Average(), stepsPerSecond);
        }

        private void Account(int copy)
        {
            _return[copy] += _rewards[copy];
            _length[copy]++;
            if (!(_terminated[copy] | _truncated[copy]) || (_notes[copy] & StepNotes.GameGoesOn) != 0) return;
            if (_ended[copy] < _episodesPerCopy && (_notes[copy] & StepNotes.EpisodeLost) == 0)
            {
                _ended[copy]++;
                _returns.Add(_return[copy]);
                _lengths.Add(_length[copy]);
            }
            (_return[copy], _length[copy]) = (0, 0);
        }
    }
}

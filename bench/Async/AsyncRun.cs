using System.Collections.Concurrent;
using System.Diagnostics;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Bench.Async;

/// <summary>One training run of asynchronous learners on plain threads, without actors.</summary>
internal sealed class AsyncRun
{
    private const int SegmentsPerLook = 16, EvaluationEpisodes = 100;
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(50);

    private readonly AsyncArguments _arguments;
    private readonly ulong _seed;
    private readonly AgentNetwork _network;
    private readonly ConcurrentQueue<LearnerProgress> _reports = new();
    private readonly AsyncProgressMeter _meter;
    private readonly SharedParameters _shared;
    private double _nextEvaluation;
    private volatile bool _stop;

    public AsyncRun(AsyncArguments arguments, ulong seed)
    {
        (_arguments, _seed) = (arguments, seed);
        var spec = EnvironmentRegistry.Default.Spec(arguments.Environment);
        _network = arguments.Options is A3cOptions
            ? PolicyValueNetwork.Create(arguments.Network, spec.Observation, spec.DiscreteActions)
            : ActionValueNetwork.Create(arguments.Network, spec.Observation, spec.DiscreteActions);
        (_meter, _shared) = (new AsyncProgressMeter(arguments), CreateShared());
    }

    /// <summary>Trains; a line of text each twentieth of the frames, and a summary.</summary>
    public void Run()
    {
        if (_arguments.IsSynchronous) RunSynchronous(_shared);
        else RunThreads(_shared);
        Drain();
        _meter.End();
        Console.WriteLine($"  greedy: mean of {EvaluationEpisodes} episodes {Evaluate(_shared.Values, EvaluationEpisodes):F1}");
    }

    /// <summary>Mean square gradients of the run so far.</summary>
    public ReadOnlySpan<float> Squares => _shared.Squares;

    /// <summary>Trains on this thread alone for so many frames, all of them if none are named; nothing is written.</summary>
    /// <returns>Mean return of the last 100 episodes.</returns>
    public double RunAlone(long? frames = null)
    {
        var group = CreateGroup(0, _shared, CreateTarget(_shared), threads: 1);
        while (_shared.Frames < (frames ?? _arguments.Frames)) group.Run();
        return group.TakeProgress().EpisodeReturns.TakeLast(100).DefaultIfEmpty(float.NaN).Average();
    }

    /// <summary>Mean return of so many episodes of the policy that always takes the best action.</summary>
    private double Evaluate(ReadOnlySpan<float> parameters, int episodes)
    {
        var random = RandomStream.Create(_seed, StreamRole.EvaluationEnvironment);
        var environments = EnvironmentRegistry.Default.Create(_arguments.Environment, episodes, random);
        return GreedyEpisodes.Mean(_network, parameters, environments);
    }

    private SharedParameters CreateShared()
    {
        var initial = new float[_network.Layout.Count];
        var random = RandomStream.Create(_seed, StreamRole.Initialization);
        _network.Initialize(initial, ref random);
        return new SharedParameters(initial, _arguments.Options.Update);
    }

    /// <summary>A group of learners a thread, with shared parameters or parameters of their own.</summary>
    public LearnerGroup[] CreateGroups(int threads, bool isPrivate)
    {
        var groups = new LearnerGroup[threads];
        for (var i = 0; i < threads; i++)
        {
            var own = isPrivate ? CreateShared() : _shared;
            groups[i] = CreateGroup(i, own, CreateTarget(own), _arguments.Threads);
        }
        return groups;
    }

    private void RunThreads(SharedParameters shared)
    {
        var threads = new Thread[_arguments.Threads];
        var total = _arguments.Private ? _arguments.Frames / threads.Length : _arguments.Frames;
        var targets = CreateTarget(shared);
        for (var i = 0; i < threads.Length; i++)
        {
            var own = _arguments.Private ? CreateShared() : shared;
            var group = CreateGroup(i, own, _arguments.Private ? CreateTarget(own) : targets, threads.Length);
            threads[i] = new Thread(() => RunGroup(group, own, total)) { IsBackground = true };
        }
        _meter.Begin();
        foreach (var thread in threads) thread.Start();
        while (threads.Any(thread => !thread.Join(20))) Drain();
    }

    private void RunGroup(LearnerGroup group, SharedParameters shared, long total)
    {
        var clock = Stopwatch.StartNew();
        while (shared.Frames < total && !_stop)
        {
            for (var i = 0; i < SegmentsPerLook; i++) group.Run();
            if (clock.Elapsed < ReportInterval) continue;
            _reports.Enqueue(group.TakeProgress());
            clock.Restart();
        }
        _reports.Enqueue(group.TakeProgress());
    }

    private void RunSynchronous(SharedParameters shared)
    {
        var groups = new LearnerGroup[_arguments.Threads];
        for (var i = 0; i < groups.Length; i++) groups[i] = CreateGroup(i, shared, null, groups.Length);
        using var runner = new Node.Threading.ThreadedRunner(groups.Length);
        var update = new A2cUpdate(groups, _arguments.Options, shared, _arguments.Frames, runner);
        var clock = Stopwatch.StartNew();
        _meter.Begin();
        while (shared.Frames < _arguments.Frames && !_stop)
        {
            update.Run();
            if (clock.Elapsed < ReportInterval) continue;
            _reports.Enqueue(update.TakeProgress());
            Drain();
            clock.Restart();
        }
        _reports.Enqueue(update.TakeProgress());
    }

    private TargetParameters? CreateTarget(SharedParameters shared) =>
        _arguments.Options is AsyncQOptions options ? new TargetParameters(shared, options.TargetInterval) : null;

    private LearnerGroup CreateGroup(int thread, SharedParameters shared, TargetParameters? target, int threads)
    {
        var (local, log) = (shared.CreateLocal(), new LearnerLog());
        var memory = _arguments.Options is A3cOptions a3c ? new A3cMemory((PolicyValueNetwork)_network, a3c) : null;
        var qMemory = _arguments.Options is AsyncQOptions q ? new AsyncQMemory((ActionValueNetwork)_network, q) : null;
        var learners = new List<ActorLearner>();
        for (var i = thread; i < _arguments.Learners; i += threads)
        {
            var place = new LearnerPlace(i, 0, _seed, _arguments.Frames, shared, local, log);
            var environments = EnvironmentRegistry.Default.Create(
                _arguments.Environment, _arguments.Options.Environments, place.Stream(StreamRole.Environment));
            learners.Add(memory is not null
                ? new A3cLearner(place, memory, environments)
                : new AsyncQLearner(place, qMemory!, target!, environments));
        }
        return new LearnerGroup([.. learners], log);
    }

    private void Drain()
    {
        while (_reports.TryDequeue(out var report)) _meter.Add(report);
        _stop |= _meter.IsSolved;
        if (_arguments.EvaluationInterval <= 0 || _meter.Frames < _nextEvaluation) return;
        _nextEvaluation = _meter.Frames + _arguments.EvaluationInterval;
        var mean = Evaluate(_shared.Values.ToArray(), EvaluationEpisodes);
        Console.WriteLine($"  {_meter.Frames,11:N0}  greedy {mean:F1}");
        _stop |= _arguments.StopWhenSolved && mean >= _arguments.Threshold;
    }
}

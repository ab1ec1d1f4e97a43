using System.Globalization;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Bench.Async;

/// <summary>The words behind <c>async</c>: an algorithm (a3c, a2c, q, nq, sarsa), an environment, and pairs of --name value.</summary>
internal sealed class AsyncArguments
{
    private readonly Dictionary<string, string> _values = [];

    /// <exception cref="ArgumentException">A word is missing or unknown.</exception>
    public AsyncArguments(string[] words)
    {
        if (words.Length < 2 || words.Length % 2 != 0)
            throw new ArgumentException("async [scaling | epsilon | ablation OUT] <a3c|a2c|q|nq|sarsa> <environment> [--name value ...]");
        for (var i = 2; i < words.Length; i += 2) _values[words[i].TrimStart('-')] = words[i + 1];
        Algorithm = words[0];
        Environment = new EnvironmentOptions { Name = words[1] };
        if (_values.ContainsKey("length")) Environment = Environment with { Length = (int)Number("length", 0) };
        Frames = (long)Number("frames", 1_000_000);
        Threads = (int)Number("threads", 2);
        Learners = (int)Number("learners", 16);
        Seeds = (int)Number("seeds", 1);
        Seed = (ulong)Number("seed", 1);
        Threshold = Number("threshold", double.PositiveInfinity);
        StopWhenSolved = Number("stop", 0) != 0;
        EvaluationInterval = (long)Number("evaluate", 0);
        Quiet = Number("quiet", 0) != 0;
        Private = Number("private", 0) != 0;
        Network = ReadNetwork();
        Options = ReadOptions();
        if (_values.Count > 0) throw new ArgumentException($"Unknown: {string.Join(", ", _values.Keys)}.");
    }

    public string Algorithm { get; }

    public EnvironmentOptions Environment { get; }

    public long Frames { get; }

    public int Threads { get; }

    public int Learners { get; }

    public ulong Seed { get; }

    public int Seeds { get; }

    /// <summary>Mean of 100 episodes that counts as solved.</summary>
    public double Threshold { get; }

    public bool StopWhenSolved { get; }

    /// <summary>Frames between evaluations without exploration; 0 for the one at the end.</summary>
    public long EvaluationInterval { get; }

    public bool Quiet { get; }

    /// <summary>Each thread has parameters of its own: what sharing costs is the difference.</summary>
    public bool Private { get; }

    public bool IsSynchronous => Algorithm == "a2c";

    public NetworkOptions Network { get; }

    public AsyncLearnerOptions Options { get; }

    private NetworkOptions ReadNetwork()
    {
        var network = new NetworkOptions
        {
            Torso = Text("torso", Environment.Name.StartsWith("minatar", StringComparison.Ordinal) ? "minatar" : "mlp"),
            Hidden = [.. Text("hidden", "64,64").Split(',').Select(units => int.Parse(units, CultureInfo.InvariantCulture))],
            Lstm = (int)Number("lstm", 0),
            Activation = Enum.Parse<Activation>(Text("activation", "relu"), ignoreCase: true),
            Initializer = Enum.Parse<Initializer>(Text("init", "orthogonal"), ignoreCase: true),
        };
        return network with { PolicyHeadScale = (float)Number("head", network.PolicyHeadScale) };
    }

    private AsyncLearnerOptions ReadOptions()
    {
        var update = new SharedParametersOptions
        {
            Rule = Enum.Parse<UpdateRule>(Text("rule", "sharedRmsProp"), ignoreCase: true),
            Decay = Number("decay", 0.99),
            Epsilon = Number("epsilon", 0.1),
        };
        AsyncLearnerOptions options = Algorithm switch
        {
            "a3c" or "a2c" => new A3cOptions
            {
                Loss = new ActorCriticLossOptions { EntropyCost = (float)Number("entropy", 0.01), ValueCost = (float)Number("value", 0.5) },
            },
            "q" => Q(ActionValueMethod.OneStepQ),
            "nq" => Q(ActionValueMethod.NStepQ),
            "sarsa" => Q(ActionValueMethod.Sarsa),
            _ => throw new ArgumentException($"There is no algorithm '{Algorithm}'; there are a3c, a2c, q, nq, sarsa."),
        };
        return options with
        {
            SegmentLength = (int)Number("t-max", 5),
            Environments = (int)Number("environments", 1),
            Discount = (float)Number("discount", 0.99),
            LearningRate = Number("lr", 7e-4),
            RewardScale = (float)Number("reward-scale", 1),
            AnnealLearningRate = Number("anneal", 1) != 0,
            MaxGradientNorm = (float)Number("norm", 40),
            Update = update,
        };
    }

    private AsyncQOptions Q(ActionValueMethod method) => new()
    {
        Method = method,
        TargetInterval = (long)Number("target", 40_000),
        ExplorationFrames = (long)Number("explore", 4_000_000),
    };

    private string Text(string name, string otherwise) => _values.Remove(name, out var text) ? text : otherwise;

    private double Number(string name, double otherwise) =>
        _values.Remove(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}

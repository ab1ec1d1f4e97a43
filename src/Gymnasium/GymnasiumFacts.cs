using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium;

/// <summary>What Python tells of an environment.</summary>
internal sealed class GymnasiumFacts
{
    /// <summary>Height and width of an Atari picture.</summary>
    public const int FrameSize = 84;

    private GymnasiumFacts(EnvironmentSpec spec, WireFormat format, ImmutableArray<int> wireShape, int wireBytes, JsonObject answer) =>
        (Spec, Format, WireShape, WireBytes, Answer) = (spec, format, wireShape, wireBytes, answer);

    public EnvironmentSpec Spec { get; }

    public WireFormat Format { get; }

    public ImmutableArray<int> WireShape { get; }

    /// <summary>Of one observation in the shared memory.</summary>
    public int WireBytes { get; }

    public string Dtype => Observation["dtype"]!.GetValue<string>();

    /// <summary>The least value of a discrete observation.</summary>
    public long IndexStart => Observation["start"]?.GetValue<long>() ?? 0;

    /// <summary>The least discrete action.</summary>
    public long ActionStart => Action["start"]?.GetValue<long>() ?? 0;

    public bool IsDiscrete => Spec.Action is DiscreteActionSpec;

    public ImmutableArray<int> ActionShape => Ints(Action["shape"]!);

    /// <summary>What the environment's action space holds where that is not what is shared.</summary>
    public string? ActionDtype => Action["dtype"]?.GetValue<string>();

    /// <summary>Bytes of one action in the shared memory.</summary>
    public int ActionBytes => Spec.Action is ContinuousActionSpec continuous ? continuous.Dimensions * sizeof(float) : sizeof(long);

    private JsonObject Answer { get; }

    private JsonObject Observation => Answer["observation"]!.AsObject();

    private JsonObject Action => Answer["action"]!.AsObject();

    /// <summary>Whether both are of the same spaces.</summary>
    public bool Equals(GymnasiumFacts other) =>
        JsonNode.DeepEquals(Observation, other.Observation) && JsonNode.DeepEquals(Action, other.Action);

    /// <param name="name">The environment's name here.</param>
    /// <param name="isAtari">Its pictures are made small.</param>
    /// <param name="answer">What the script answered to "make".</param>
    /// <exception cref="PythonException">They cannot be had here.</exception>
    public static GymnasiumFacts Read(string name, bool isAtari, JsonObject answer)
    {
        try
        {
            return Parse(name, isAtari, answer);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            throw new PythonException(
                $"its spaces cannot be had here: {e.Message} Python says: observation {answer["observation"]?.ToJsonString()}, action {answer["action"]?.ToJsonString()}.",
                $"Register an id with at most {SpecProblem.MaxActions} actions and observations of {ObservationSpec.MaxElements} numbers.", "", e);
        }
    }

    private static GymnasiumFacts Parse(string name, bool isAtari, JsonObject answer)
    {
        var observation = answer["observation"]!.AsObject();
        var shape = Ints(observation["shape"]!);
        var elements = shape.Aggregate(1, (product, size) => checked(product * size));
        // Pictures without channels have one; a single number is a vector of one.
        int[] seen = shape.Length == 0 ? [1] : [.. shape];
        var (format, bytes, spec) = observation["format"]!.GetValue<string>() switch
        {
            "uint8" when isAtari && shape.Length == 2 =>
                (WireFormat.Frame, elements, new ObservationSpec(ElementType.UInt8, FrameSize, FrameSize, 1)),
            "uint8" => (WireFormat.UInt8, elements, new ObservationSpec(ElementType.UInt8, shape.Length == 2 ? [.. shape, 1] : seen)),
            "float32" => (WireFormat.Float32, checked(elements * sizeof(float)), new ObservationSpec(ElementType.Float32, seen)),
            "bits" => (WireFormat.Bits, elements, new ObservationSpec(ElementType.Bit, seen)),
            _ => (WireFormat.Index, sizeof(long), new ObservationSpec(ElementType.Bit, observation["n"]!.GetValue<int>())),
        };
        var all = new EnvironmentSpec(name, spec, ReadAction(answer["action"]!.AsObject()));
        if (SpecProblem.Of(all) is { } problem) throw new ArgumentException(problem);
        return new GymnasiumFacts(all, format, shape, bytes, answer);
    }

    private static ActionSpec ReadAction(JsonObject action) => action["kind"]!.GetValue<string>() == "discrete"
        ? new DiscreteActionSpec(action["n"]!.GetValue<int>())
        : new ContinuousActionSpec(Floats(action["low"]!), Floats(action["high"]!));

    private static ImmutableArray<int> Ints(JsonNode node) => [.. node.AsArray().Select(item => item!.GetValue<int>())];

    private static ImmutableArray<float> Floats(JsonNode node) => [.. node.AsArray().Select(item => (float)item!.GetValue<double>())];
}

using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

public class UnrollTests
{
    private const double Difference = 1e-6;

    /// <summary>Torso, observation, LSTM units, environments.</summary>
    public static TheoryData<string, ElementType, int[], int, int> Networks => new()
    {
        { "mlp", ElementType.Float32, [4], 0, 1 },
        { "mlp", ElementType.Float32, [4], 64, 1 },
        { "mlp", ElementType.Float32, [3], 17, 3 },
        { "mlp", ElementType.UInt8, [5], 8, 16 },
        { "minatar", ElementType.Bit, [10, 10, 4], 0, 3 },
        { "minatar", ElementType.Bit, [10, 10, 4], 128, 1 },
        { "minatar", ElementType.Bit, [3, 5, 7], 5, 2 },
        { "minatar", ElementType.UInt8, [4, 4, 2], 16, 2 },
        { "impala-deep", ElementType.UInt8, [5, 6, 2], 3, 2 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void Acting_step_by_step_gives_the_bits_of_a_whole_unroll(
        string torso, ElementType type, int[] shape, int units, int environments)
    {
        const int Steps = 7;
        foreach (var network in Both(new NetworkOptions { Torso = torso, Lstm = units }, new ObservationSpec(type, shape)))
        {
            var run = new UnrollRun(network, Steps, environments);
            var (acting, stepwise, whole) = (run.Workspace(training: false), run.Workspace(), run.Workspace());
            Assert.Equal(run.Act(acting), run.Act(stepwise));
            run.Unroll(whole);
            Assert.Equal(run.Act(run.Workspace()), whole.FinalState.ToArray());
            Assert.Equal(run.Outputs(whole), run.Outputs(stepwise));
            Assert.Equal(run.Outputs(whole), run.Outputs(acting));
            Assert.Equal(run.Backward(whole, Steps), run.Backward(stepwise, Steps));
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void An_unroll_without_memory_is_a_batch(string torso, ElementType type, int[] shape, int units, int environments)
    {
        Assert.Equal(units > 0 ? 2 * units : 0, Policy(torso, type, shape, units).StateSize);
        var network = Policy(torso, type, shape, units: 0);
        var run = new UnrollRun(network, 5, environments);
        var workspace = run.Workspace();
        run.Unroll(workspace);
        var batch = network.CreateWorkspace(5 * environments, training: true);
        network.Forward(run.Parameters, run.Observations, 5 * environments, batch);
        for (var t = 0; t < 5; t++)
        {
            Assert.Equal(batch.Logits.Slice(t * environments * network.Actions, environments * network.Actions), workspace.LogitsAt(t));
            Assert.Equal(batch.Values.Slice(t * environments, environments), workspace.ValuesAt(t));
        }
    }

    [Theory]
    [InlineData("mlp", ElementType.Float32, new[] { 3 }, 6, 1)]
    [InlineData("mlp", ElementType.Float32, new[] { 3 }, 20, 3)]
    [InlineData("minatar", ElementType.Bit, new[] { 3, 4, 2 }, 5, 2)]
    public void Outputs_and_gradients_through_time_and_resets_are_those_of_the_reference(
        string torso, ElementType type, int[] shape, int units, int environments)
    {
        const int Steps = 6;
        var options = new NetworkOptions { Torso = torso, Hidden = [5], Lstm = units, Activation = Activation.Tanh };
        foreach (var network in Both(options, new ObservationSpec(type, shape)))
        {
            var run = new UnrollRun(network, Steps, environments);
            Assert.Contains(true, run.Reset.AsSpan(environments).ToArray());
            var workspace = run.Workspace();
            run.Act(workspace);
            var reference = new ReferenceNetwork(options with { Dueling = network is ActionValueNetwork { IsDueling: true } }, network);
            double[] exact = [.. run.Parameters];
            double[][] decoded = [.. run.Observations.Chunk(network.Observation.ByteCount).Select(
                row => ReferenceNetwork.Decode(network.Observation, row))];

            double[] Outputs()
            {
                double[][] states = [.. run.InitialState.Chunk(network.StateSize).Select(state => (double[])[.. state])];
                return [.. Enumerable.Range(0, decoded.Length).SelectMany(
                    row => reference.Step(exact, decoded[row], states[row % environments], run.Reset[row]))];
            }
            double Loss() => Outputs().Zip(Enumerable.Range(0, decoded.Length).SelectMany(run.OutputGradient), (y, dy) => y * dy).Sum();

            TorchLayouts.AssertClose([.. Outputs().Select(y => (float)y)], run.Outputs(workspace), 1e-5, "outputs");
            var gradient = run.Backward(workspace, Steps);
            var random = RandomStream.Create(2, StreamRole.Initialization);
            foreach (var slot in network.Layout)
            {
                for (var probe = 0; probe < 6; probe++)
                {
                    var at = slot.Offset + random.NextInt32(slot.Count);
                    var kept = exact[at];
                    exact[at] = kept + Difference;
                    var above = Loss();
                    exact[at] = kept - Difference;
                    var expected = (above - Loss()) / (2 * Difference);
                    exact[at] = kept;
                    Assert.True(Math.Abs(expected - gradient[at]) <= 2e-4 * (1 + Math.Abs(expected)),
                        $"{network.GetType().Name} {slot.Name}[{at - slot.Offset}]: {gradient[at]}, by differences {expected}");
                }
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public void Steps_left_out_of_the_backward_pass_leave_no_trace(int units)
    {
        var network = Policy("mlp", ElementType.Float32, [4], units);
        var longer = new UnrollRun(network, 6, 2);
        var workspace = longer.Workspace();
        longer.Act(workspace);
        var part = longer.Backward(workspace, 4);

        var shorter = network.CreateUnrollWorkspace(4, 2, training: true);
        network.ForwardUnroll(longer.Parameters, longer.Observations.AsSpan(0, 4 * 2 * network.Observation.ByteCount),
            longer.Reset.AsSpan(0, 8), longer.InitialState, 4, shorter);
        Assert.Equal(longer.Backward(shorter, 4), part);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Passes_allocate_nothing(string torso, ElementType type, int[] shape, int units, int environments)
    {
        var network = Policy(torso, type, shape, units);
        var run = new UnrollRun(network, 3, environments);
        var (workspace, gradient, state) = (run.Workspace(), new float[run.Parameters.Length], run.InitialState.ToArray());
        var bytes = environments * network.Observation.ByteCount;
        void Once()
        {
            for (var t = 0; t < 3; t++)
            {
                network.ForwardStep(run.Parameters, run.Observations.AsSpan(t * bytes, bytes),
                    run.Reset.AsSpan(t * environments, environments), state, t, workspace);
            }
            run.Backward(workspace, 3, gradient);
            run.Unroll(workspace);
            run.Backward(workspace, 3, gradient);
        }
        Once();
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Once();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Fewer_environments_than_there_is_room_for_are_fine()
    {
        var network = Policy("mlp", ElementType.Float32, [4], 8);
        var run = new UnrollRun(network, 4, 2);
        var (exact, roomy) = (run.Workspace(), network.CreateUnrollWorkspace(6, 5, training: true));
        run.Act(exact);
        run.Act(roomy);
        Assert.Equal(run.Outputs(exact), run.Outputs(roomy));
        Assert.Equal(run.Backward(exact, 4), run.Backward(roomy, 4));
    }

    [Fact]
    public void Misuse_is_refused()
    {
        var network = Policy("mlp", ElementType.Float32, [4], 8);
        var run = new UnrollRun(network, 3, 2);
        var (workspace, gradient) = (run.Workspace(), new float[run.Parameters.Length]);
        void Step(int step, int environments) => network.ForwardStep(
            run.Parameters, run.Observations.AsSpan(0, environments * 16), run.Reset.AsSpan(0, environments),
            run.InitialState.AsSpan(0, environments * 16), step, workspace);
        Assert.Contains("8 units", Assert.Throws<NotSupportedException>(() => network.CreateWorkspace(2, training: false)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Step(3, 2));
        Assert.Contains("0 steps", Assert.Throws<ArgumentException>(() => Step(1, 2)).Message);
        Step(0, 2);
        Assert.Throws<ArgumentException>(() => Step(1, 1));
        Assert.Throws<ArgumentException>(() => run.Backward(workspace, 2, gradient));
        Assert.Throws<ArgumentException>(() => network.ForwardStep(
            run.Parameters, run.Observations.AsSpan(0, 32), run.Reset.AsSpan(0, 2), run.InitialState.AsSpan(1), 1, workspace));
        run.Backward(workspace, 1, gradient);
        Assert.Contains("one backward pass", Assert.Throws<ArgumentException>(() => run.Backward(workspace, 1, gradient)).Message);
        Assert.Throws<InvalidOperationException>(() => workspace.QAt(0).Length);
        var acting = run.Workspace(training: false);
        run.Act(acting);
        Assert.Contains("training: true", Assert.Throws<ArgumentException>(() => run.Backward(acting, 3, gradient)).Message);
        Assert.Contains("for action values", Assert.Throws<ArgumentException>(
            () => PolicyValueNetwork.Create(new NetworkOptions { Dueling = true }, network.Observation, 2)).Message);
    }

    private static PolicyValueNetwork Policy(string torso, ElementType type, int[] shape, int units) =>
        PolicyValueNetwork.Create(new NetworkOptions { Torso = torso, Lstm = units }, new ObservationSpec(type, shape), actions: 5);

    private static AgentNetwork[] Both(NetworkOptions options, ObservationSpec observation) =>
    [
        PolicyValueNetwork.Create(options, observation, 5), ActionValueNetwork.Create(options, observation, 5),
        ActionValueNetwork.Create(options with { Dueling = true }, observation, 5),
    ];
}

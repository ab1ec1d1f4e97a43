using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>Whole networks against <see cref="ReferenceNetwork"/>: outputs, and gradients by central differences in double.</summary>
public class PolicyValueNetworkGradientTests
{
    private const double Step = 1e-6;

    public static TheoryData<string, ElementType, int[]> Networks => new()
    {
        { "mlp", ElementType.Float32, [4] },
        { "mlp", ElementType.Float32, [1] },
        { "mlp", ElementType.Bit, [3, 5, 1] },
        { "mlp", ElementType.UInt8, [17] },
        { "minatar", ElementType.Bit, [10, 10, 4] },
        { "minatar", ElementType.Bit, [10, 10, 10] },
        { "minatar", ElementType.Bit, [3, 3, 1] },
        { "minatar", ElementType.Bit, [5, 4, 7] },
        { "minatar", ElementType.UInt8, [4, 7, 3] },
        { "minatar", ElementType.Float32, [10, 10, 6] },
        { "nature", ElementType.UInt8, [36, 39, 2] },
        { "impala-shallow", ElementType.UInt8, [21, 20, 3] },
        { "impala-deep", ElementType.Float32, [9, 6, 2] },
        { "impala-deep", ElementType.UInt8, [1, 3, 1] },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void Outputs_and_gradients_are_those_of_the_reference(string torso, ElementType type, int[] shape)
    {
        Compare(new NetworkOptions { Torso = torso, PolicyHeadScale = 1 }, new ObservationSpec(type, shape), actions: 5);
    }

    [Theory]
    [InlineData(Activation.Tanh, new[] { 33, 15 })]
    [InlineData(Activation.Tanh, new[] { 1 })]
    [InlineData(Activation.Relu, new[] { 7, 64, 17 })]
    [InlineData(Activation.Relu, new int[0])]
    public void Any_hidden_sizes_work(Activation activation, int[] hidden)
    {
        foreach (var actions in (int[])[1, 15, 16, 18])
            Compare(new NetworkOptions { Hidden = [.. hidden], Activation = activation, PolicyHeadScale = 1 },
                new ObservationSpec(ElementType.Float32, 3), actions);
    }

    private static void Compare(NetworkOptions options, ObservationSpec observation, int actions)
    {
        const int Batch = 3;
        var random = RandomStream.Create(5, StreamRole.Initialization);
        var network = PolicyValueNetwork.Create(options, observation, actions);
        var parameters = new float[network.Layout.Count];
        network.Initialize(parameters, ref random);
        // Biases too, so that they count.
        foreach (var slot in network.Layout)
        {
            foreach (ref var x in slot.Of(parameters)) x += 0.1f * random.NextGaussian();
        }
        var observations = TestObservations.Random(observation, Batch, ref random);
        var (logitGradient, valueGradient) = (new float[Batch * actions], new float[Batch]);
        foreach (ref var x in logitGradient.AsSpan()) x = random.NextGaussian();
        foreach (ref var x in valueGradient.AsSpan()) x = random.NextGaussian();
        var workspace = network.CreateWorkspace(Batch + 1, training: true);

        network.Forward(parameters, observations, Batch, workspace);

        var reference = new ReferenceNetwork(options, network);
        double[][] decoded = [.. Enumerable.Range(0, Batch).Select(
            i => ReferenceNetwork.Decode(observation, observations.AsSpan(i * observation.ByteCount, observation.ByteCount)))];
        double[] exact = [.. parameters];
        for (var i = 0; i < Batch; i++)
        {
            var expected = reference.Outputs(exact, decoded[i]);
            for (var a = 0; a < actions; a++)
                Assert.Equal(expected[a], workspace.Logits[i * actions + a], 1e-4 * (1 + Math.Abs(expected[a])));
            Assert.Equal(expected[actions], workspace.Values[i], 1e-4 * (1 + Math.Abs(expected[actions])));
        }

        // The gradient is added to what is there.
        var gradient = new float[network.Layout.Count];
        foreach (var slot in network.Layout) slot.Of(gradient).Fill(1);
        network.Backward(parameters, Batch, workspace, logitGradient, valueGradient, gradient);

        double Loss() => Enumerable.Range(0, Batch).Sum(i =>
        {
            var outputs = reference.Outputs(exact, decoded[i]);
            return valueGradient[i] * outputs[actions] + Enumerable.Range(0, actions).Sum(a => logitGradient[i * actions + a] * outputs[a]);
        });
        foreach (var slot in network.Layout)
        {
            for (var probe = 0; probe < 4; probe++)
            {
                var at = slot.Offset + random.NextInt32(slot.Count);
                var kept = exact[at];
                exact[at] = kept + Step;
                var above = Loss();
                exact[at] = kept - Step;
                var difference = (above - Loss()) / (2 * Step);
                exact[at] = kept;
                Assert.True(
                    Math.Abs(difference - (gradient[at] - 1)) <= 3e-4 * (1 + Math.Abs(difference)),
                    $"{options.Torso} {slot.Name}[{at - slot.Offset}]: {gradient[at] - 1}, by differences {difference}");
            }
        }
        Assert.Equal(network.Layout.LearnedCount, gradient.Count(x => x != 0));
    }
}

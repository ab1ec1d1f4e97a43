using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

public class PolicyValueNetworkTests
{
    public static TheoryData<string, ElementType, int[]> Networks => new()
    {
        { "mlp", ElementType.Float32, [4] },
        { "minatar", ElementType.Bit, [10, 10, 4] },
        { "minatar", ElementType.UInt8, [10, 10, 4] },
        { "nature", ElementType.UInt8, [36, 36, 1] },
        { "impala-shallow", ElementType.UInt8, [20, 20, 3] },
        { "impala-deep", ElementType.UInt8, [8, 8, 3] },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void Passes_allocate_nothing(string torso, ElementType type, int[] shape)
    {
        const int Batch = 5;
        var (network, parameters, observations) = Create(torso, type, shape, Batch);
        var (acting, learning) = (network.CreateWorkspace(Batch, training: false), network.CreateWorkspace(Batch, training: true));
        var (gradient, logitGradient, valueGradient) = (new float[parameters.Length], new float[Batch * network.Actions], new float[Batch]);
        void Once()
        {
            network.Forward(parameters, observations, Batch, acting);
            network.Forward(parameters, observations, Batch, learning);
            network.Backward(parameters, Batch, learning, logitGradient, valueGradient, gradient);
        }
        Once();
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Once();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_sample_does_not_depend_on_its_batch(string torso, ElementType type, int[] shape)
    {
        const int Batch = 37;
        var (network, parameters, observations) = Create(torso, type, shape, Batch);
        var (all, one) = (network.CreateWorkspace(Batch, training: true), network.CreateWorkspace(1, training: false));
        network.Forward(parameters, observations, Batch, all);
        var bytes = network.Observation.ByteCount;
        for (var i = 0; i < Batch; i++)
        {
            network.Forward(parameters, observations.AsSpan(i * bytes, bytes), 1, one);
            TorchLayouts.AssertClose(one.Logits, all.Logits.Slice(i * network.Actions, network.Actions), 1e-6, $"logits of sample {i}");
            TorchLayouts.AssertClose(one.Values, all.Values.Slice(i, 1), 1e-6, $"value of sample {i}");
        }
    }

    [Fact]
    public void A_smaller_batch_leaves_no_trace_of_a_larger_one()
    {
        var (network, parameters, observations) = Create("minatar", ElementType.Bit, [10, 10, 4], batch: 9);
        var (used, fresh) = (network.CreateWorkspace(9, training: true), network.CreateWorkspace(2, training: true));
        network.Forward(parameters, observations, 9, used);
        var two = observations.AsSpan(0, 2 * network.Observation.ByteCount);
        float[] logitGradient = [.. Enumerable.Range(1, 2 * network.Actions)];
        var (first, second) = (new float[parameters.Length], new float[parameters.Length]);
        network.Forward(parameters, two, 2, used);
        network.Backward(parameters, 2, used, logitGradient, [1, 2], first);
        network.Forward(parameters, two, 2, fresh);
        network.Backward(parameters, 2, fresh, logitGradient, [1, 2], second);
        Assert.Equal(second, first);
        Assert.Equal(2, used.Values.Length);
    }

    [Theory]
    [InlineData(10, 10, 1)]
    [InlineData(10, 10, 4)]
    [InlineData(10, 10, 6)]
    [InlineData(10, 10, 7)]
    [InlineData(10, 10, 10)]
    [InlineData(3, 3, 4)]
    [InlineData(4, 19, 5)]
    [InlineData(5, 12, 57)]
    [InlineData(3, 4, 58)]
    public void Bit_planes_give_what_floats_give(int height, int width, int channels)
    {
        const int Batch = 6;
        var (bits, parameters, observations) = Create("minatar", ElementType.Bit, [height, width, channels], Batch);
        var floats = PolicyValueNetwork.Create(
            new NetworkOptions { Torso = "minatar" }, new ObservationSpec(ElementType.Float32, height, width, channels), bits.Actions);
        Assert.Equal(floats.Layout, bits.Layout);
        var decoded = new float[Batch * floats.Observation.ElementCount];
        ObservationDecoder.Decode(bits.Observation, observations, Batch, decoded);
        float[] logitGradient = [.. Enumerable.Range(0, Batch * bits.Actions).Select(i => MathF.Sin(i))];
        float[] valueGradient = [.. Enumerable.Range(0, Batch).Select(i => MathF.Cos(i))];

        float[] Run(PolicyValueNetwork network, ReadOnlySpan<byte> input)
        {
            var workspace = network.CreateWorkspace(Batch, training: true);
            var gradient = new float[network.Layout.Count];
            network.Forward(parameters, input, Batch, workspace);
            network.Backward(parameters, Batch, workspace, logitGradient, valueGradient, gradient);
            return [.. workspace.Logits, .. workspace.Values, .. gradient];
        }

        TorchLayouts.AssertClose(Run(floats, System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(decoded)),
            Run(bits, observations), 1e-5, "result");
    }

    [Fact]
    public void The_unused_bits_of_the_last_byte_do_not_matter()
    {
        var (network, parameters, observations) = Create("minatar", ElementType.Bit, [3, 3, 1], batch: 1);
        var workspace = network.CreateWorkspace(1, training: false);
        network.Forward(parameters, observations, 1, workspace);
        var expected = workspace.Logits.ToArray();
        observations[1] |= 0xFE;
        network.Forward(parameters, observations, 1, workspace);
        Assert.Equal(expected, workspace.Logits.ToArray());
    }

    [Fact]
    public void Threads_share_a_network_and_its_parameters()
    {
        const int Batch = 16;
        var (network, parameters, observations) = Create("minatar", ElementType.Bit, [10, 10, 4], Batch);
        var results = new float[4][];
        Thread[] threads = [.. Enumerable.Range(0, results.Length).Select(i => new Thread(() =>
        {
            var workspace = network.CreateWorkspace(Batch, training: true);
            var gradient = new float[parameters.Length];
            for (var pass = 0; pass < 20; pass++)
            {
                Array.Clear(gradient);
                network.Forward(parameters, observations, Batch, workspace);
                network.Backward(parameters, Batch, workspace, workspace.Logits, workspace.Values, gradient);
            }
            results[i] = [.. workspace.Logits, .. gradient];
        }))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    [Fact]
    public void An_empty_batch_gives_nothing()
    {
        var (network, parameters, _) = Create("mlp", ElementType.Float32, [4], batch: 1);
        var workspace = network.CreateWorkspace(1, training: true);
        var gradient = new float[parameters.Length];
        network.Forward(parameters, [], 0, workspace);
        network.Backward(parameters, 0, workspace, [], [], gradient);
        Assert.Equal(0, workspace.Logits.Length);
        Assert.All(gradient, x => Assert.Equal(0, x));
    }

    [Fact]
    public void Impala_deep_has_the_fifteen_convolutions_of_the_paper()
    {
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = "impala-deep" },
            new ObservationSpec(ElementType.UInt8, 72, 96, 3), 9);
        Assert.Equal(15, network.Layout.Slots.Count(slot => slot.Shape.Length == 4));
        Assert.Equal([9 * 12 * 32, 256], network.Layout["dense1.weight"].Shape);
    }

    [Fact]
    public void Nature_has_the_parameters_of_the_paper()
    {
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = "nature" }, new(ElementType.UInt8, 84, 84, 4), 18);
        Assert.Equal([7 * 7 * 64, 512], network.Layout["dense1.weight"].Shape);
        Assert.Equal(2 * (20 * 20 * 256 * 32 + 9 * 9 * 512 * 64 + 7 * 7 * 576 * 64 + 3136 * 512 + 512 * 19), network.ForwardFlopsPerSample);
    }

    [Theory]
    [InlineData("resnet", new[] { 84, 84, 4 }, "Torso 'resnet' is unknown; there are: mlp, minatar, nature, impala-shallow, impala-deep.")]
    [InlineData("nature", new[] { 10, 10, 4 }, "at least 36x36 pixels, not UInt8[10, 10, 4]")]
    [InlineData("minatar", new[] { 4 }, "needs images [height, width, channels]")]
    public void A_torso_that_does_not_suit_is_named(string torso, int[] shape, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => PolicyValueNetwork.Create(new NetworkOptions { Torso = torso },
            new ObservationSpec(ElementType.UInt8, shape), 3));
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData("mlp", ElementType.Float32, new[] { 4 })]
    [InlineData("minatar", ElementType.Bit, new[] { 10, 10, 4 })]
    [InlineData("minatar", ElementType.UInt8, new[] { 10, 10, 4 })]
    public void Samples_left_out_of_the_backward_pass_have_no_gradient(string torso, ElementType type, int[] shape)
    {
        var (network, parameters, observations) = Create(torso, type, shape, batch: 5);
        var workspace = network.CreateWorkspace(5, training: true);
        float[] logitGradient = [.. Enumerable.Range(0, 5 * network.Actions).Select(i => i % 7 - 3)], valueGradient = [1, -2, 3, 0, 0];
        logitGradient.AsSpan(3 * network.Actions).Clear();
        var (whole, part) = (new float[parameters.Length], new float[parameters.Length]);
        network.Forward(parameters, observations, 5, workspace);
        network.Backward(parameters, 5, workspace, logitGradient, valueGradient, whole);
        network.Forward(parameters, observations, 5, workspace);
        network.Backward(parameters, 3, workspace, logitGradient.AsSpan(0, 3 * network.Actions), valueGradient.AsSpan(0, 3), part);
        Assert.Contains(whole, each => each != 0);
        for (var i = 0; i < whole.Length; i++) Assert.Equal(whole[i], part[i], 1e-4f * (1 + MathF.Abs(whole[i])));
    }

    [Fact]
    public void Misuse_is_refused()
    {
        var (network, parameters, observations) = Create("mlp", ElementType.Float32, [4], batch: 2);
        var (other, _, _) = Create("mlp", ElementType.Float32, [4], batch: 2);
        var acting = network.CreateWorkspace(2, training: false);
        var learning = network.CreateWorkspace(2, training: true);
        Assert.Contains("= 16", Assert.Throws<ArgumentException>(() => network.Forward(parameters, observations, 1, acting)).Message);
        Assert.Throws<ArgumentException>(() => network.Forward(parameters.AsSpan(1), observations, 2, acting));
        Assert.Throws<ArgumentOutOfRangeException>(() => network.Forward(parameters, observations, 3, acting));
        Assert.Throws<ArgumentException>(() => other.Forward(parameters, observations, 2, acting));
        network.Forward(parameters, observations, 2, acting);
        network.Forward(parameters, observations, 2, learning);
        var gradient = new float[parameters.Length];
        var logitGradient = new float[2 * network.Actions];
        Assert.Contains("training: true", Assert.Throws<ArgumentException>(
            () => network.Backward(parameters, 2, acting, logitGradient, [0, 0], gradient)).Message);
        Assert.Throws<ArgumentException>(() => network.Backward(parameters, 3, learning, new float[3 * network.Actions], [0, 0, 0], gradient));
        Assert.Throws<ArgumentException>(() => network.Backward(parameters, 2, learning, logitGradient, [0], gradient));
        Assert.Throws<ArgumentException>(() => PolicyValueNetwork.Create(new NetworkOptions { Hidden = [64, 0] }, network.Observation, 2));
    }

    private static (PolicyValueNetwork Network, float[] Parameters, byte[] Observations) Create(string torso, ElementType type,
        int[] shape, int batch)
    {
        var random = RandomStream.Create(11, StreamRole.Initialization);
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = torso }, new ObservationSpec(type, shape), actions: 6);
        var parameters = new float[network.Layout.Count];
        network.Initialize(parameters, ref random);
        return (network, parameters, TestObservations.Random(network.Observation, batch, ref random));
    }
}

using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

public class ObservationNormalizerTests
{
    private const int Size = 11, Rows = 40;

    private static readonly ObservationSpec Vector = new(ElementType.Float32, Size);
    private static readonly NetworkOptions Plain = new() { Hidden = [8] };
    private static readonly PolicyValueNetwork
        Network = PolicyValueNetwork.Create(Plain with { NormalizeObservations = true }, Vector, 3),
        PlainNetwork = PolicyValueNetwork.Create(Plain, Vector, 3);

    [Fact]
    public void The_statistics_are_named_come_last_and_are_not_learned()
    {
        Assert.Equal(["observations.mean", "observations.variance", "observations.count"], Network.Layout.Slots[^3..].Select(slot => slot.Name));
        Assert.Equal(PlainNetwork.Layout.Count, Network.Layout.TrainedCount);
        Assert.Equal(Network.Layout["observations.mean"].Offset, Network.Layout.TrainedCount);
        Assert.Equal(PlainNetwork.Layout.LearnedCount, Network.Layout.LearnedCount);
        Assert.Equal(PlainNetwork.Layout.Count, PlainNetwork.Layout.TrainedCount);
        var layout = new ParameterLayoutBuilder();
        layout.AddStatistic("count", 1);
        Assert.Throws<InvalidOperationException>(() => layout.Add("weight", 1));
    }

    [Fact]
    public void Without_any_observation_so_far_nothing_changes()
    {
        var parameters = Parameters();
        var observations = Observations(1, scale: 100);
        Assert.Equal(Logits(PlainNetwork, parameters[..PlainNetwork.Layout.Count], observations), Logits(Network, parameters, observations));
    }

    [Fact]
    public void The_network_sees_mean_0_and_variance_1_within_bounds()
    {
        var parameters = Parameters();
        var observations = Observations(1, scale: 100);
        Learn(parameters, observations);
        Assert.NotEqual(Logits(PlainNetwork, parameters[..PlainNetwork.Layout.Count], observations), Logits(Network, parameters, observations));
        // Far out, and a number that never changed.
        observations[3] = 1e9f;
        observations[Size + 4] = -1e9f;
        var seen = new float[observations.Length];
        for (var i = 0; i < seen.Length; i++)
        {
            var (mean, variance) = (Network.Layout.Read(parameters, "observations.mean")[i % Size], Network.Layout.Read(parameters, "observations.variance")[i % Size]);
            seen[i] = Math.Clamp((observations[i] - mean) * (1 / MathF.Sqrt(variance + 1e-8f)), -10, 10);
        }
        Assert.Equal((10, -10), (seen[3], seen[Size + 4]));
        Assert.Equal(0, seen[5]);
        Assert.Equal(Logits(PlainNetwork, parameters[..PlainNetwork.Layout.Count], seen), Logits(Network, parameters, observations));
        // A sample does not depend on its batch.
        Assert.Equal(Logits(Network, parameters, observations)[3..6], Logits(Network, parameters, observations[Size..(2 * Size)]));
    }

    [Fact]
    public void However_observations_are_cut_the_statistics_are_those_of_all() => Check.QuickThrowOnFailure(Prop.ForAll(
        (from cuts in Gen.Choose(0, Rows).ListOf() from lanes in Gen.Choose(1, 4) from seed in Gen.Choose(1, 1000) select (cuts, lanes, seed)).ToArbitrary(),
        test =>
        {
            var (cuts, lanes, seed) = test;
            var parameters = Parameters();
            var observations = Observations((ulong)seed, scale: 30);
            var (at, moments) = (0, Enumerable.Range(0, lanes).Select(_ => new ObservationMoments(Size)).ToArray());
            foreach (var (cut, index) in cuts.Order().Append(Rows).Select((cut, index) => (cut, index)))
            {
                moments[index % lanes].Add(MemoryMarshal.AsBytes(observations.AsSpan(at * Size, (cut - at) * Size)));
                at = cut;
                if (index % lanes != lanes - 1 && cut != Rows) continue;
                foreach (var other in moments[1..]) moments[0].Add(other);
                Network.Normalizer!.Update(parameters, moments[0]);
                foreach (var each in moments) each.Clear();
            }
            Assert.Equal(Rows, Network.Layout.Read(parameters, "observations.count")[0]);
            for (var i = 0; i < Size; i++)
            {
                var values = Enumerable.Range(0, Rows).Select(row => (double)observations[row * Size + i]).ToArray();
                var mean = values.Average();
                var variance = values.Average(value => (value - mean) * (value - mean));
                AssertClose(mean, Network.Layout.Read(parameters, "observations.mean")[i]);
                AssertClose(variance, Network.Layout.Read(parameters, "observations.variance")[i]);
            }
        }));

    [Fact]
    public void Statistics_have_no_gradient()
    {
        var parameters = Parameters();
        var observations = Observations(1, scale: 3);
        Learn(parameters, observations);
        var workspace = Network.CreateWorkspace(Rows, training: true);
        Network.Forward(parameters, MemoryMarshal.AsBytes(observations.AsSpan()), Rows, workspace);
        var gradient = new float[Network.Layout.Count];
        Network.Backward(parameters, Rows, workspace, [.. Enumerable.Repeat(1f, Rows * 3)], [.. Enumerable.Repeat(1f, Rows)], gradient);
        Assert.True(gradient.AsSpan(Network.Layout.TrainedCount).IndexOfAnyExcept(0f) < 0);
        Assert.True(gradient.AsSpan(0, Network.Layout.TrainedCount).IndexOfAnyExcept(0f) >= 0);
    }

    [Fact]
    public void Acting_allocates_nothing()
    {
        var parameters = Parameters();
        var observations = Observations(1, scale: 3);
        Learn(parameters, observations);
        var workspace = Network.CreateWorkspace(Rows, training: false);
        Network.Forward(parameters, MemoryMarshal.AsBytes(observations.AsSpan()), Rows, workspace);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Network.Forward(parameters, MemoryMarshal.AsBytes(observations.AsSpan()), Rows, workspace);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(ElementType.Bit, "8")]
    [InlineData(ElementType.UInt8, "8")]
    [InlineData(ElementType.Float32, "3,3,1")]
    public void Anything_but_a_vector_of_floats_is_refused(ElementType type, string shape)
    {
        var observation = new ObservationSpec(type, [.. shape.Split(',').Select(int.Parse)]);
        var error = Assert.Throws<ArgumentException>(() => PolicyValueNetwork.Create(new NetworkOptions { NormalizeObservations = true }, observation, 2));
        Assert.Equal("NormalizeObservations", error.ParamName);
        Assert.Contains(observation.ToString(), error.Message, StringComparison.Ordinal);
    }

    private static void Learn(float[] parameters, float[] observations)
    {
        var moments = new ObservationMoments(Size);
        moments.Add(MemoryMarshal.AsBytes(observations.AsSpan()));
        Network.Normalizer!.Update(parameters, moments);
    }

    private static float[] Parameters()
    {
        var parameters = new float[Network.Layout.Count];
        var random = RandomStream.Create(1, StreamRole.Initialization);
        Network.Initialize(parameters, ref random);
        return parameters;
    }

    /// <summary>Numbers of very different sizes; the sixth is always the same.</summary>
    private static float[] Observations(ulong seed, float scale)
    {
        var random = RandomStream.Create(seed, StreamRole.Environment);
        var observations = new float[Rows * Size];
        for (var i = 0; i < observations.Length; i++)
            observations[i] = i % Size == 5 ? 123.4f : (random.NextGaussian() + 2) * scale * MathF.Pow(10, i % Size - 5);
        return observations;
    }

    private static float[] Logits(PolicyValueNetwork network, float[] parameters, float[] observations)
    {
        var workspace = network.CreateWorkspace(observations.Length / Size, training: false);
        network.Forward(parameters, MemoryMarshal.AsBytes(observations.AsSpan()), observations.Length / Size, workspace);
        return workspace.Logits.ToArray();
    }

    private static void AssertClose(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-4 * Math.Abs(expected) + 1e-9, $"{actual}, expected {expected}");
}

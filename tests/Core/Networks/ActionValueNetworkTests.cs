using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Networks.TorchLayouts;

namespace Rl.Distributed.Core.Tests.Networks;

public class ActionValueNetworkTests
{
    /// <summary>The oracle's streams are the observation, passed on by heads that are parts of the identity.</summary>
    [Fact]
    public void Dueling_streams_and_their_gradients_agree_with_torch()
    {
        foreach (var each in OracleFiles.Math("layers").Where(each => each.GetProperty("kind").GetString() == "dueling"))
        {
            float[] Floats(string name) => OracleFiles.Floats(each.GetProperty(name));
            var actions = each.GetProperty("advantage")[0].GetArrayLength();
            var network = ActionValueNetwork.Create(
                new NetworkOptions { Hidden = [], Dueling = true }, new ObservationSpec(ElementType.Float32, actions + 1), actions);
            var parameters = new float[network.Layout.Count];
            for (var a = 0; a < actions; a++) network.Layout.Slice(parameters, "advantage.weight")[a * actions + a] = 1;
            network.Layout.Slice(parameters, "value.weight")[actions] = 1;
            float[][] rows = [.. Floats("advantage").Chunk(actions).Zip(Floats("value"), (row, value) => (float[])[.. row, value])];
            var workspace = network.CreateWorkspace(rows.Length, training: true);

            network.Forward(parameters, Bytes([.. rows.SelectMany(row => row)]), rows.Length, workspace);
            AssertClose(Floats("q"), workspace.Q, 1e-5, "q");

            // A sample's gradient at the streams is its gradient at their biases.
            for (var i = 0; i < rows.Length; i++)
            {
                var gradient = new float[parameters.Length];
                network.Forward(parameters, Bytes(rows[i]), 1, workspace);
                network.Backward(parameters, 1, workspace, Floats("upstream").AsSpan(i * actions, actions), gradient);
                var dAdvantage = Floats("dadvantage").AsSpan(i * actions, actions);
                AssertClose(dAdvantage, network.Layout.Slice(gradient, "advantage.bias"), 1e-5, "dadvantage");
                AssertClose(Floats("dvalue").AsSpan(i, 1), network.Layout.Slice(gradient, "value.bias"), 1e-5, "dvalue");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batches_give_what_unrolls_give_and_allocate_nothing(bool dueling)
    {
        var network = ActionValueNetwork.Create(
            new NetworkOptions { Torso = "minatar", Dueling = dueling }, new ObservationSpec(ElementType.Bit, 10, 10, 4), 6);
        Assert.Equal(dueling, network.IsDueling);
        Assert.Equal(dueling ? ["advantage.weight", "advantage.bias", "value.weight", "value.bias"] : ["q.weight", "q.bias"],
            network.Layout.Slots.Skip(4).Select(slot => slot.Name));
        var run = new UnrollRun(network, 4, 3);
        var (unroll, batch, gradient) = (run.Workspace(), network.CreateWorkspace(12, training: true), new float[run.Parameters.Length]);
        run.Unroll(unroll);
        float[] upstream = [.. Enumerable.Range(0, 12).SelectMany(run.OutputGradient)];
        void Once()
        {
            network.Forward(run.Parameters, run.Observations, 12, batch);
            network.Backward(run.Parameters, 12, batch, upstream, gradient);
        }
        Once();
        Assert.Equal(run.Outputs(unroll), batch.Q);
        Assert.Equal(run.Backward(unroll, 4), gradient);
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Once();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Throws<InvalidOperationException>(() => batch.Logits.Length);
    }

    [Fact]
    public void Initial_weights_do_not_depend_on_the_scale_of_policies()
    {
        float[] Initialized(float scale)
        {
            var random = RandomStream.Create(3, StreamRole.Initialization);
            var network = ActionValueNetwork.Create(
                new NetworkOptions { PolicyHeadScale = scale }, new ObservationSpec(ElementType.Float32, 4), 3);
            var parameters = new float[network.Layout.Count];
            network.Initialize(parameters, ref random);
            return parameters;
        }
        Assert.Equal(Initialized(1), Initialized(0.01f));
    }

    private static byte[] Bytes(float[] values) => System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();
}

using System.Text.Json;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using static Rl.Distributed.Core.Tests.Networks.TorchLayouts;

namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>The network's part of the oracle of a whole IMPALA step: outputs, and gradients from the heads' gradients.</summary>
public class LearnerStepNetworkTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData(ElementType.Bit, false)]
    [InlineData(ElementType.Float32, false)]
    [InlineData(ElementType.Bit, true)]
    [InlineData(ElementType.Float32, true)]
    public void Outputs_and_gradients_agree_with_torch(ElementType type, bool isRecurrent)
    {
        JsonElement[] cases = [.. OracleFiles.Math("learner_step").Where(each => each.GetProperty("lstm").GetBoolean() == isRecurrent)];
        Assert.NotEmpty(cases);
        foreach (var each in cases)
        {
            var sizes = new LearnerStepCase(each);
            // Zeros in place of missing filters and units change nothing, so a small network can run as MinAtar's.
            var asMinAtar = sizes is { Filters: <= 16, Units: <= 128, Kernel: 3 } && Floats(each, "observations").All(x => x is 0 or 1);
            if (type == ElementType.Bit && !asMinAtar) continue;
            var (filters, units) = type == ElementType.Bit ? (16, 128) : (sizes.Filters, sizes.Units);
            var observation = new ObservationSpec(type, sizes.Height, sizes.Width, sizes.Channels);
            var options = new NetworkOptions { Torso = "minatar", Lstm = isRecurrent ? each.GetProperty("h0")[0].GetArrayLength() : 0 };
            var network = type == ElementType.Bit
                ? PolicyValueNetwork.Create(options, observation, sizes.Actions)
                : PolicyValueNetwork.Create(
                    layout => new TorsoBuilder(layout, observation).Conv("conv1", filters, sizes.Kernel, 1).Dense("dense1", units).Build(),
                    sizes.Actions, options);
            var parameters = sizes.Parameters(each.GetProperty("params"), network.Layout, filters, units);
            var (steps, environments) = (each.GetProperty("T").GetInt32(), each.GetProperty("B").GetInt32());
            var workspace = network.CreateUnrollWorkspace(steps + 1, environments, training: true);
            bool[] reset = [.. OracleFiles.Ints(each.GetProperty("done")).Select(done => done != 0)];

            network.ForwardUnroll(parameters, sizes.Observations(each, type), reset, InitialState(each), steps + 1, workspace);
            float[] logits = [.. Enumerable.Range(0, steps + 1).SelectMany(t => workspace.LogitsAt(t).ToArray())];
            float[] values = [.. Enumerable.Range(0, steps + 1).SelectMany(t => workspace.ValuesAt(t).ToArray())];
            AssertClose(Floats(each, "logits"), logits, Tolerance, "logits");
            AssertClose(Floats(each, "values"), values, Tolerance, "values");

            var logitGradient = new float[steps * environments * sizes.Actions];
            var valueGradient = new float[steps * environments];
            HeadGradients(each, sizes, logitGradient, valueGradient);
            var gradient = new float[network.Layout.Count];
            network.Backward(parameters, steps, workspace, logitGradient, valueGradient, gradient);
            AssertClose(sizes.Parameters(each.GetProperty("grads"), network.Layout, filters, units), gradient, Tolerance, "gradient");
        }
    }

    /// <summary>d/dlogits of Σ -adv log π(a) + entropyCost Σ π log π, and of baselineCost/2 Σ (vs - V)²; the last row only
    /// bootstraps.</summary>
    private static void HeadGradients(JsonElement each, LearnerStepCase sizes, float[] logitGradient, float[] valueGradient)
    {
        double[] Doubles(string name) => OracleFiles.Doubles(each.GetProperty(name));
        var (logits, values, vs, advantages) = (Doubles("logits"), Doubles("values"), Doubles("vs"), Doubles("pg_advantages"));
        var actions = OracleFiles.Ints(each.GetProperty("actions"));
        var (baselineCost, entropyCost) = (each.GetProperty("baseline_cost").GetDouble(), each.GetProperty("entropy_cost").GetDouble());
        for (var i = 0; i < vs.Length; i++)
        {
            var row = logits.AsSpan(i * sizes.Actions, sizes.Actions).ToArray();
            var normalizer = Math.Log(row.Sum(Math.Exp));
            var negativeEntropy = row.Sum(x => Math.Exp(x - normalizer) * (x - normalizer));
            for (var a = 0; a < row.Length; a++)
            {
                var logp = row[a] - normalizer;
                var p = Math.Exp(logp);
                var ofPolicy = advantages[i] * (p - (a == actions[i] ? 1 : 0));
                logitGradient[i * row.Length + a] = (float)(ofPolicy + entropyCost * p * (logp - negativeEntropy));
            }
            valueGradient[i] = (float)(baselineCost * (values[i] - vs[i]));
        }
    }

    /// <summary>[B × 2H], h then c; empty without an LSTM.</summary>
    private static float[] InitialState(JsonElement each) => each.TryGetProperty("h0", out var hidden)
        ? [.. hidden.EnumerateArray().Zip(each.GetProperty("c0").EnumerateArray(),
            (h, c) => (float[])[.. OracleFiles.Floats(h), .. OracleFiles.Floats(c)]).SelectMany(state => state)]
        : [];

    private static float[] Floats(JsonElement element, string name) => OracleFiles.Floats(element.GetProperty(name));
}

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
    [InlineData(ElementType.Bit)]
    [InlineData(ElementType.Float32)]
    public void Outputs_and_gradients_agree_with_torch(ElementType type)
    {
        foreach (var each in OracleFiles.Math("learner_step").Where(each => !each.GetProperty("lstm").GetBoolean()))
        {
            var sizes = new LearnerStepCase(each);
            // Zeros in place of missing filters and units change nothing, so a small network can run as MinAtar's.
            var asMinAtar = sizes is { Filters: <= 16, Units: <= 128, Kernel: 3 } && Floats(each, "observations").All(x => x is 0 or 1);
            if (type == ElementType.Bit && !asMinAtar) continue;
            var (filters, units) = type == ElementType.Bit ? (16, 128) : (sizes.Filters, sizes.Units);
            var observation = new ObservationSpec(type, sizes.Height, sizes.Width, sizes.Channels);
            var network = type == ElementType.Bit
                ? PolicyValueNetwork.Create(new NetworkOptions { Torso = "minatar" }, observation, sizes.Actions)
                : PolicyValueNetwork.Create(
                    layout => new TorsoBuilder(layout, observation).Conv("conv1", filters, sizes.Kernel, 1).Dense("dense1", units).Build(),
                    sizes.Actions, new NetworkOptions());
            var parameters = sizes.Parameters(each.GetProperty("params"), network.Layout, filters, units);
            var workspace = network.CreateWorkspace(sizes.Rows, training: true);

            network.Forward(parameters, sizes.Observations(each, type), sizes.Rows, workspace);
            AssertClose(Floats(each, "logits"), workspace.Logits, Tolerance, "logits");
            AssertClose(Floats(each, "values"), workspace.Values, Tolerance, "values");

            var logitGradient = new float[sizes.Rows * sizes.Actions];
            var valueGradient = new float[sizes.Rows];
            HeadGradients(each, sizes, logitGradient, valueGradient);
            var gradient = new float[network.Layout.Count];
            network.Backward(parameters, sizes.Rows, workspace, logitGradient, valueGradient, gradient);
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

    private static float[] Floats(JsonElement element, string name) => OracleFiles.Floats(element.GetProperty(name));
}

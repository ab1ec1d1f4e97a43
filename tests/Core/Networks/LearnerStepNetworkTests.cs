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
            var sizes = new Sizes(each);
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
    private static void HeadGradients(JsonElement each, Sizes sizes, float[] logitGradient, float[] valueGradient)
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

    private sealed record Sizes(int Rows, int Channels, int Height, int Width, int Filters, int Kernel, int Units, int Actions)
    {
        public Sizes(JsonElement each)
            : this(
                (each.GetProperty("T").GetInt32() + 1) * each.GetProperty("B").GetInt32(), Length(each, "observations", 2),
                Length(each, "observations", 3), Length(each, "observations", 4), Length(each.GetProperty("params"), "conv_w", 0),
                Length(each.GetProperty("params"), "conv_w", 2),
                Length(each.GetProperty("params"), "fc_w", 0), Length(each.GetProperty("params"), "pi_w", 0))
        {
        }

        public byte[] Observations(JsonElement each, ElementType type)
        {
            var values = Images(Floats(each, "observations"), Channels, Height, Width);
            if (type == ElementType.Float32) return System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();
            return TestObservations.Pack(values, Rows);
        }

        public float[] Parameters(JsonElement named, ParameterLayout layout, int filters, int units)
        {
            var (outHeight, outWidth) = (Height - Kernel + 1, Width - Kernel + 1);
            var result = new float[layout.Count];
            void Put(string name, float[] values, int from, int to)
            {
                var target = layout.Slice(result, name);
                for (var i = 0; i < values.Length; i++) target[i / from * to + i % from] = values[i];
            }
            Put("conv1.weight", TorchLayouts.Filters(Floats(named, "conv_w"), Filters, Channels, Kernel), Filters, filters);
            Put("conv1.bias", Floats(named, "conv_b"), Filters, filters);
            var dense = DenseAfterImage(Floats(named, "fc_w"), Units, Filters, outHeight, outWidth);
            var target = layout.Slice(result, "dense1.weight");
            for (var i = 0; i < dense.Length; i++)
            {
                var (input, unit) = Math.DivRem(i, Units);
                target[(input / Filters * filters + input % Filters) * units + unit] = dense[i];
            }
            Put("dense1.bias", Floats(named, "fc_b"), Units, units);
            Put("policy.weight", Dense(Floats(named, "pi_w"), Actions), Actions, Actions);
            Put("policy.bias", Floats(named, "pi_b"), Actions, Actions);
            Put("value.weight", Floats(named, "v_w"), 1, 1);
            Put("value.bias", Floats(named, "v_b"), 1, 1);
            return result;
        }

        private static int Length(JsonElement element, string name, int depth)
        {
            var inner = element.GetProperty(name);
            for (; depth > 0; depth--) inner = inner[0];
            return inner.GetArrayLength();
        }
    }
}

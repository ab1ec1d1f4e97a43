using System.Text.Json;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using static Rl.Distributed.Core.Tests.Networks.TorchLayouts;

namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>A case of learner_step.json: its sizes, and its arrays in our order of axes.</summary>
internal sealed record LearnerStepCase(int Rows, int Channels, int Height, int Width, int Filters, int Kernel, int Units, int Actions)
{
    public LearnerStepCase(JsonElement each)
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
        if (named.TryGetProperty("l_wh", out var recurrent))
        {
            // Units beyond the case's own give 0, so their rows may be 0.
            var gates = recurrent.GetArrayLength();
            Put("lstm.weight_ih", Dense(Floats(named, "l_wi"), gates), gates, gates);
            Put("lstm.weight_hh", Dense(Floats(named, "l_wh"), gates), gates, gates);
            Put("lstm.bias_ih", Floats(named, "l_bi"), gates, gates);
            Put("lstm.bias_hh", Floats(named, "l_bh"), gates, gates);
        }
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

    private static float[] Floats(JsonElement element, string name) => OracleFiles.Floats(element.GetProperty(name));
}

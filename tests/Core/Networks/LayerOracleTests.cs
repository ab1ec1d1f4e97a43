using System.Text.Json;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Networks.TorchLayouts;

namespace Rl.Distributed.Core.Tests.Networks;

public class LayerOracleTests
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void A_dense_layer_agrees_with_torch()
    {
        foreach (var each in CasesOf("layers", "linear"))
        {
            var outputs = each.GetProperty("bias").GetArrayLength();
            var x = Floats(each, "x");
            var batch = each.GetProperty("x").GetArrayLength();
            var builder = new ParameterLayoutBuilder();
            var layer = new Dense(builder, "layer", x.Length / batch, outputs, activation: null);
            var run = new LayerRun(layer, builder.Build(), batch);
            Dense(Floats(each, "weight"), outputs).CopyTo(run.Layout.Slice(run.Parameters, "layer.weight"));
            Floats(each, "bias").CopyTo(run.Layout.Slice(run.Parameters, "layer.bias"));

            run.Both(x, Floats(each, "upstream"));

            AssertClose(Floats(each, "y"), run.Output, Tolerance, "y");
            AssertClose(Floats(each, "dx"), run.InputGradient, Tolerance, "dx");
            AssertClose(Dense(Floats(each, "dweight"), outputs), run.Layout.Slice(run.Gradient, "layer.weight"), Tolerance, "dweight");
            AssertClose(Floats(each, "dbias"), run.Layout.Slice(run.Gradient, "layer.bias"), Tolerance, "dbias");
        }
    }

    [Theory]
    [InlineData("relu", Activation.Relu)]
    [InlineData("tanh", Activation.Tanh)]
    public void An_activation_agrees_with_torch(string kind, Activation activation)
    {
        foreach (var each in CasesOf("layers", kind))
        {
            var x = Floats(each, "x");
            var builder = new ParameterLayoutBuilder();
            var run = new LayerRun(new Dense(builder, "layer", x.Length, x.Length, activation), builder.Build(), batch: 1);
            var identity = run.Layout.Slice(run.Parameters, "layer.weight");
            for (var i = 0; i < x.Length; i++) identity[i * x.Length + i] = 1;

            run.Both(x, Floats(each, "upstream"));

            AssertClose(Floats(each, "y"), run.Output, Tolerance, "y");
            AssertClose(Floats(each, "dx"), run.InputGradient, Tolerance, "dx");
        }
    }

    [Fact]
    public void Tanh_is_within_half_a_millionth_of_the_exact_value()
    {
        float[] x = [.. Enumerable.Range(-1000, 2001).Select(i => i / 97f), 0, 1e-6f, 100, -100, float.PositiveInfinity,
            float.NegativeInfinity];
        float[] y = [.. x, .. new float[16 - x.Length % 16]];
        var builder = new ParameterLayoutBuilder();
        var run = new LayerRun(new Dense(builder, "layer", 1, y.Length, Activation.Tanh), builder.Build(), batch: 1);
        y.CopyTo(run.Layout.Slice(run.Parameters, "layer.bias"));
        run.Both([0], new float[y.Length]);
        for (var i = 0; i < x.Length; i++) Assert.Equal(Math.Tanh(x[i]), run.Output[i], 5e-7);
    }

    [Fact]
    public void A_separate_relu_agrees_with_torch()
    {
        foreach (var each in CasesOf("layers", "relu"))
        {
            var x = Floats(each, "x");
            var run = new LayerRun(new Relu(x.Length), new ParameterLayoutBuilder().Build(), batch: 1);
            run.Both(x, Floats(each, "upstream"));
            Assert.Equal(Floats(each, "y"), run.Output);
            Assert.Equal(Floats(each, "dx"), run.InputGradient);
        }
    }

    [Fact]
    public void A_convolution_agrees_with_torch()
    {
        foreach (var each in CasesOf("conv2d", "conv2d"))
        {
            int Int(string name) => each.GetProperty(name).GetInt32();
            var (batch, filters) = (Int("batch"), Int("out_channels"));
            var shape = new ConvolutionShape(Int("height"), Int("width"), Int("in_channels"), Int("kernel"), Int("kernel"), Int("stride"),
                Int("padding"));
            float[] Inputs(string name) => Images(Floats(each, name), shape.Channels, shape.Height, shape.Width);
            float[] Outputs(string name) => Images(Floats(each, name), filters, shape.OutHeight, shape.OutWidth);
            float[] Weights(string name) => Filters(Floats(each, name), filters, shape.Channels, shape.KernelWidth);
            var builder = new ParameterLayoutBuilder();
            var run = new LayerRun(new Conv2D(builder, "layer", shape, filters, activation: null), builder.Build(), batch);
            Weights("weight").CopyTo(run.Layout.Slice(run.Parameters, "layer.weight"));
            Floats(each, "bias").CopyTo(run.Layout.Slice(run.Parameters, "layer.bias"));

            run.Both(Inputs("x"), Outputs("upstream"));

            AssertClose(Outputs("y"), run.Output, Tolerance, $"{shape} y");
            AssertClose(Inputs("dx"), run.InputGradient, Tolerance, $"{shape} dx");
            AssertClose(Weights("dweight"), run.Layout.Slice(run.Gradient, "layer.weight"), Tolerance, $"{shape} dweight");
            AssertClose(Floats(each, "dbias"), run.Layout.Slice(run.Gradient, "layer.bias"), Tolerance, $"{shape} dbias");
        }
    }

    [Fact]
    public void Convolutions_and_a_dense_layer_in_a_row_agree_with_torch()
    {
        foreach (var each in OracleFiles.Math("nature_stack"))
        {
            var weights = each.GetProperty("weights").EnumerateArray().ToArray();
            var strides = OracleFiles.Ints(each.GetProperty("strides"));
            var input = each.GetProperty("x")[0];
            var (channels, height, width) = (input.GetArrayLength(), input[0].GetArrayLength(), input[0][0].GetArrayLength());
            var batch = each.GetProperty("x").GetArrayLength();
            var builder = new ParameterLayoutBuilder();
            var layers = new List<Layer>();
            var image = (Height: height, Width: width, Channels: channels);
            Func<float[], int, float[]>[] toOurs = new Func<float[], int, float[]>[weights.Length];
            for (var i = 0; i < strides.Length; i++)
            {
                var (filters, kernel) = (weights[i].GetArrayLength(), weights[i][0][0].GetArrayLength());
                var shape = new ConvolutionShape(image.Height, image.Width, image.Channels, kernel, kernel, strides[i]);
                layers.Add(new Conv2D(builder, $"layer{i}", shape, filters, Activation.Relu));
                toOurs[i] = (values, outputs) => Filters(values, outputs, shape.Channels, shape.KernelWidth);
                image = (shape.OutHeight, shape.OutWidth, filters);
            }
            var last = strides.Length;
            layers.Add(new Dense(builder, $"layer{last}", image.Height * image.Width * image.Channels, weights[last].GetArrayLength(),
                activation: null));
            toOurs[last] = (values, outputs) => DenseAfterImage(values, outputs, image.Channels, image.Height, image.Width);
            var run = new LayerRun(new Sequential(channels * height * width, [.. layers]), builder.Build(), batch);
            for (var i = 0; i < weights.Length; i++)
            {
                toOurs[i](OracleFiles.Floats(weights[i]), weights[i].GetArrayLength()).CopyTo(
                    run.Layout.Slice(run.Parameters, $"layer{i}.weight"));
                Floats(each.GetProperty("biases")[i]).CopyTo(run.Layout.Slice(run.Parameters, $"layer{i}.bias"));
            }

            run.Both(Images(Floats(each, "x"), channels, height, width), Floats(each, "upstream"));

            AssertClose(Floats(each, "y"), run.Output, 1e-4, "y");
            AssertClose(Images(Floats(each, "dx"), channels, height, width), run.InputGradient, 1e-4, "dx");
            for (var i = 0; i < weights.Length; i++)
            {
                var expected = toOurs[i](Floats(each.GetProperty("dweights")[i]), weights[i].GetArrayLength());
                AssertClose(expected, run.Layout.Slice(run.Gradient, $"layer{i}.weight"), 1e-4, $"dweights {i}");
                AssertClose(Floats(each.GetProperty("dbiases")[i]), run.Layout.Slice(run.Gradient, $"layer{i}.bias"), 1e-4, $"dbiases {i}");
            }
        }
    }

    private static JsonElement[] CasesOf(string file, string kind)
    {
        JsonElement[] cases = [.. OracleFiles.Math(file).Where(each => each.GetProperty("kind").GetString() == kind)];
        Assert.NotEmpty(cases);
        return cases;
    }

    private static float[] Floats(JsonElement element) => OracleFiles.Floats(element);

    private static float[] Floats(JsonElement element, string name) => OracleFiles.Floats(element.GetProperty(name));
}

/// <summary>One layer with parameters, and the results of a forward and a backward pass.</summary>
internal sealed class LayerRun(Layer layer, ParameterLayout layout, int batch)
{
    public ParameterLayout Layout => layout;

    public float[] Parameters { get; } = new float[layout.Count];

    public float[] Gradient { get; } = new float[layout.Count];

    public float[] Output { get; } = new float[batch * layer.OutputSize];

    public float[] InputGradient { get; } = new float[batch * layer.InputSize];

    public void Both(float[] input, float[] outputGradient)
    {
        var buffers = layer.CreateBuffers(batch, training: true);
        Array.Fill(InputGradient, float.NaN);
        layer.Forward(Parameters, input, Output, 0, batch, buffers);
        layer.Backward(Parameters, input, Output, [.. outputGradient], InputGradient, Gradient, batch, buffers);
    }
}

using System.Text.Json;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Networks.TorchLayouts;

namespace Rl.Distributed.Core.Tests.Networks;

public class LstmTests
{
    private const double Tolerance = 1e-4;

    [Fact]
    public void Outputs_states_and_all_gradients_agree_with_torch()
    {
        var cases = OracleFiles.Math("lstm");
        Assert.Contains(cases, each => OracleFiles.Ints(each.GetProperty("done")).Any(done => done != 0));
        foreach (var each in cases)
        {
            int Size(string name) => each.GetProperty(name).GetInt32();
            float[] Floats(string name) => OracleFiles.Floats(each.GetProperty(name));
            var (steps, environments, inputs, units) = (Size("T"), Size("B"), Size("input"), Size("hidden"));
            var builder = new ParameterLayoutBuilder();
            var lstm = new Lstm(builder, "lstm", inputs, units);
            var layout = builder.Build();
            var (parameters, gradient) = (new float[layout.Count], new float[layout.Count]);
            Dense(Floats("weight_ih"), 4 * units).CopyTo(layout.Slice(parameters, "lstm.weight_ih"));
            Dense(Floats("weight_hh"), 4 * units).CopyTo(layout.Slice(parameters, "lstm.weight_hh"));
            Floats("bias_ih").CopyTo(layout.Slice(parameters, "lstm.bias_ih"));
            Floats("bias_hh").CopyTo(layout.Slice(parameters, "lstm.bias_hh"));
            bool[] reset = [.. OracleFiles.Ints(each.GetProperty("done")).Select(done => done != 0)];
            var (x, state) = (Floats("x"), Join(Floats("h0"), Floats("c0"), units));
            var output = new float[steps * environments * units];
            var buffers = lstm.CreateBuffers(steps * environments, environments, training: true);

            lstm.Forward(parameters, x, reset, state, output, 0, buffers);

            AssertClose(Floats("y"), output, Tolerance, "y");
            AssertClose(Join(Floats("h_T"), Floats("c_T"), units), state, Tolerance, "last state");

            var inputGradient = new float[x.Length];
            var stateGradient = Join(Floats("upstream_h_T"), Floats("upstream_c_T"), units);
            lstm.Backward(parameters, x, Floats("upstream_y"), stateGradient, toInitialState: true, inputGradient, gradient, buffers);

            AssertClose(Floats("dx"), inputGradient, Tolerance, "dx");
            AssertClose(Join(Floats("dh0"), Floats("dc0"), units), stateGradient, Tolerance, "dstate");
            AssertClose(Dense(Floats("dweight_ih"), 4 * units), layout.Slice(gradient, "lstm.weight_ih"), Tolerance, "dweight_ih");
            AssertClose(Dense(Floats("dweight_hh"), 4 * units), layout.Slice(gradient, "lstm.weight_hh"), Tolerance, "dweight_hh");
            AssertClose(Floats("dbias_ih"), layout.Slice(gradient, "lstm.bias_ih"), Tolerance, "dbias_ih");
            AssertClose(Floats("dbias_hh"), layout.Slice(gradient, "lstm.bias_hh"), Tolerance, "dbias_hh");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(33)]
    [InlineData(64)]
    public void Gates_are_those_of_the_scalar_twin(int units)
    {
        var random = RandomStream.Create(3, StreamRole.Initialization);
        float[] Draw(int length, ref RandomStream random)
        {
            var values = new float[length];
            foreach (ref var value in values.AsSpan()) value = 2 * random.NextGaussian();
            return values;
        }
        float[] gates = Draw(4 * units, ref random), x = Draw(4 * units, ref random), y = Draw(4 * units, ref random);
        float[] before = Draw(units, ref random), dHidden = Draw(units, ref random), next = Draw(units, ref random);
        float[] dCell = Draw(units, ref random), twinGates = [.. gates], twinCell = [.. dCell];
        float[][] results = [new float[units], new float[units], new float[units]];
        float[][] expected = [new float[units], new float[units], new float[units]];

        LstmGates.Forward(gates, x, y, before, results[0], results[1], results[2]);
        LstmGates.ForwardScalar(twinGates, x, y, before, expected[0], expected[1], expected[2]);
        AssertClose(twinGates, gates, 1e-6, "gates");
        for (var i = 0; i < results.Length; i++) AssertClose(expected[i], results[i], 2e-6, $"result {i}");

        LstmGates.Backward(gates, before, results[1], dHidden, next, dCell);
        LstmGates.BackwardScalar(twinGates, before, expected[1], dHidden, next, twinCell);
        AssertClose(twinGates, gates, 5e-6, "gate gradients");
        AssertClose(twinCell, dCell, 5e-6, "cell gradient");
    }

    [Fact]
    public void Orthogonal_weights_are_so_gate_by_gate()
    {
        var (layout, parameters) = Initialized(Initializer.Orthogonal);
        var weight = layout.Slice(parameters, "lstm.weight_hh").ToArray();
        for (var gate = 0; gate < 4; gate++)
        {
            for (var a = 0; a < 6; a++)
            {
                for (var b = 0; b <= a; b++)
                {
                    var product = Enumerable.Range(0, 6).Sum(i => weight[i * 24 + gate * 6 + a] * weight[i * 24 + gate * 6 + b]);
                    Assert.Equal(a == b ? 1 : 0, product, 1e-5f);
                }
            }
        }
        Assert.All(layout.Slice(parameters, "lstm.bias_ih").ToArray(), bias => Assert.Equal(0, bias));
    }

    [Fact]
    public void Torchs_initial_values_are_uniform_within_one_over_the_root_of_the_units()
    {
        var (layout, parameters) = Initialized(Initializer.Torch);
        foreach (var slot in layout)
        {
            var largest = slot.Of(parameters).ToArray().Max(MathF.Abs);
            Assert.InRange(largest, 0.8f / MathF.Sqrt(6), 1 / MathF.Sqrt(6));
        }
    }

    private static (ParameterLayout, float[]) Initialized(Initializer initializer)
    {
        var builder = new ParameterLayoutBuilder();
        var lstm = new Lstm(builder, "lstm", 30, 6);
        var layout = builder.Build();
        var parameters = new float[layout.Count];
        var random = RandomStream.Create(1, StreamRole.Initialization);
        lstm.Initialize(parameters, initializer, ref random);
        return (layout, parameters);
    }

    /// <summary>[B × H] and [B × H] to [B × 2H].</summary>
    private static float[] Join(float[] hidden, float[] cell, int units) =>
        [.. hidden.Chunk(units).Zip(cell.Chunk(units), (h, c) => (float[])[.. h, .. c]).SelectMany(each => each)];
}

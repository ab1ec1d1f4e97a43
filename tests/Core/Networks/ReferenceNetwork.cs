using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;

namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>Every torso with its heads for one sample in double, written down anew as plain loops over [row][column][channel].</summary>
internal sealed class ReferenceNetwork(NetworkOptions options, AgentNetwork network)
{
    private double[] _parameters = [];
    private (int H, int W, int C) _image;

    /// <summary>Logits, then the value.</summary>
    public double[] Outputs(double[] parameters, double[] observation)
    {
        var features = Features(parameters, observation);
        return [.. Dense(features, "policy", x => x), .. Dense(features, "value", x => x)];
    }

    /// <summary>One step of a network with an LSTM; state [2H] moves on.</summary>
    public double[] Step(double[] parameters, double[] observation, double[] state, bool isReset)
    {
        var features = Features(parameters, observation);
        var units = state.Length / 2;
        if (isReset) Array.Clear(state);
        var fromInput = Affine(features, "lstm.weight_ih", "lstm.bias_ih");
        var fromHidden = Affine(state[..units], "lstm.weight_hh", "lstm.bias_hh");
        double Sum(int gate, int j) => fromInput[gate * units + j] + fromHidden[gate * units + j];
        static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
        for (var j = 0; j < units; j++)
        {
            state[units + j] = Sigmoid(Sum(1, j)) * state[units + j] + Sigmoid(Sum(0, j)) * Math.Tanh(Sum(2, j));
            state[j] = Sigmoid(Sum(3, j)) * Math.Tanh(state[units + j]);
        }
        if (network is PolicyValueNetwork) return [.. Dense(state[..units], "policy", x => x), .. Dense(state[..units], "value", x => x)];
        if (!options.Dueling) return Dense(state[..units], "q", x => x);
        var (advantages, value) = (Dense(state[..units], "advantage", x => x), Dense(state[..units], "value", x => x));
        return [.. advantages.Select(advantage => value[0] + advantage - advantages.Average())];
    }

    private double[] Features(double[] parameters, double[] observation)
    {
        _parameters = parameters;
        if (network.Observation.Shape is [var h, var w, var c]) _image = (h, w, c);
        return options.Torso switch
        {
            "mlp" => Mlp(observation),
            "minatar" => Dense(Relu(Conv(observation, "conv1", 1, 0)), "dense1", Relu),
            "nature" => Dense(Relu(Conv(Relu(Conv(Relu(Conv(observation, "conv1", 4, 0)), "conv2", 2, 0)), "conv3", 1, 0)), "dense1", Relu),
            "impala-shallow" => Dense(Relu(Conv(Relu(Conv(observation, "conv1", 4, 0)), "conv2", 2, 0)), "dense1", Relu),
            _ => Deep(observation),
        };
    }

    public static double[] Decode(ObservationSpec spec, ReadOnlySpan<byte> row)
    {
        var values = new double[spec.ElementCount];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = spec.Type switch
            {
                ElementType.Float32 => BitConverter.ToSingle(row.Slice(4 * i, 4)),
                ElementType.UInt8 => row[i] / 255.0,
                _ => (row[i / 8] >> (i % 8)) & 1,
            };
        }
        return values;
    }

    private static double[] Relu(double[] x) => [.. x.Select(value => Math.Max(value, 0))];

    private double[] Mlp(double[] x)
    {
        for (var i = 1; i <= options.Hidden.Length; i++)
            x = Dense(x, $"dense{i}", options.Activation == Activation.Relu ? Relu : y => [.. y.Select(Math.Tanh)]);
        return x;
    }

    private double[] Deep(double[] x)
    {
        for (var stack = 1; stack <= 3; stack++)
        {
            x = MaxPool(Conv(x, $"stack{stack}.conv", 1, 1));
            for (var block = 1; block <= 2; block++)
            {
                var name = $"stack{stack}.block{block}";
                var residual = Conv(Relu(Conv(Relu(x), $"{name}.conv1", 1, 1)), $"{name}.conv2", 1, 1);
                x = [.. x.Zip(residual, (a, b) => a + b)];
            }
        }
        return Dense(Relu(x), "dense1", Relu);
    }

    private double[] Dense(double[] x, string name, Func<double[], double[]> activation) =>
        activation(Affine(x, $"{name}.weight", $"{name}.bias"));

    private double[] Affine(double[] x, string weightName, string biasName)
    {
        var (weight, bias) = (network.Layout[weightName], network.Layout[biasName]);
        var y = new double[bias.Count];
        for (var j = 0; j < y.Length; j++)
        {
            y[j] = _parameters[bias.Offset + j];
            for (var i = 0; i < x.Length; i++) y[j] += x[i] * _parameters[weight.Offset + i * y.Length + j];
        }
        return y;
    }

    private double[] Conv(double[] x, string name, int stride, int padding)
    {
        var (weight, bias) = (network.Layout[$"{name}.weight"], network.Layout[$"{name}.bias"]);
        var (h, w, c) = _image;
        var (kernel, filters) = (weight.Shape[0], weight.Shape[3]);
        var (outH, outW) = ((h + 2 * padding - kernel) / stride + 1, (w + 2 * padding - kernel) / stride + 1);
        var y = new double[outH * outW * filters];
        for (var oy = 0; oy < outH; oy++)
        for (var ox = 0; ox < outW; ox++)
        for (var f = 0; f < filters; f++)
        {
            var sum = _parameters[bias.Offset + f];
            for (var ky = 0; ky < kernel; ky++)
            for (var kx = 0; kx < kernel; kx++)
            {
                var (iy, ix) = (oy * stride + ky - padding, ox * stride + kx - padding);
                if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
                for (var i = 0; i < c; i++)
                    sum += x[(iy * w + ix) * c + i] * _parameters[weight.Offset + ((ky * kernel + kx) * c + i) * filters + f];
            }
            y[(oy * outW + ox) * filters + f] = sum;
        }
        _image = (outH, outW, filters);
        return y;
    }

    /// <summary>3x3 at stride 2, padding 1.</summary>
    private double[] MaxPool(double[] x)
    {
        var (h, w, c) = _image;
        var (outH, outW) = ((h - 1) / 2 + 1, (w - 1) / 2 + 1);
        var y = Enumerable.Repeat(double.NegativeInfinity, outH * outW * c).ToArray();
        for (var iy = 0; iy < h; iy++)
        for (var ix = 0; ix < w; ix++)
        for (var oy = iy / 2; oy <= Math.Min((iy + 1) / 2, outH - 1); oy++)
        for (var ox = ix / 2; ox <= Math.Min((ix + 1) / 2, outW - 1); ox++)
        for (var i = 0; i < c; i++)
            y[(oy * outW + ox) * c + i] = Math.Max(y[(oy * outW + ox) * c + i], x[(iy * w + ix) * c + i]);
        _image = (outH, outW, c);
        return y;
    }
}

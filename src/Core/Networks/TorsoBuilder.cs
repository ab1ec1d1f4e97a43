using System.Collections.Immutable;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Describes a torso from the observation on, layer by layer; each appends its parameters to the layout.</summary>
/// <remarks><code>new TorsoBuilder(layout, observation).Conv("conv1", 16, 3, 1).Dense("dense1", 128).Build()</code></remarks>
public sealed class TorsoBuilder
{
    private readonly ParameterLayoutBuilder _layout;
    private readonly ObservationSpec _observation;
    private readonly ImmutableArray<Layer>.Builder _layers = ImmutableArray.CreateBuilder<Layer>();
    private BitConv? _bitConv;
    private int _bodyInputSize;
    private (int Height, int Width, int Channels) _image;

    public TorsoBuilder(ParameterLayoutBuilder layout, ObservationSpec observation)
    {
        (_layout, _observation, _bodyInputSize) = (layout, observation, observation.ElementCount);
        if (observation.Shape is [var height, var width, var channels]) _image = (height, width, channels);
    }

    private int Size => _layers.Count == 0 ? _bodyInputSize : _layers[^1].OutputSize;

    public TorsoBuilder Dense(string name, int units, Activation? activation = Activation.Relu)
    {
        _layers.Add(new Dense(_layout, name, Size, units, activation));
        _image = default;
        return this;
    }

    public TorsoBuilder Conv(string name, int filters, int kernel, int stride, int padding = 0, Activation? activation = Activation.Relu)
    {
        var shape = Shape(kernel, stride, padding);
        if (_bitConv is null && _layers.Count == 0 && BitConv.Supports(_observation, filters, kernel, stride, padding, activation))
        {
            _bitConv = new BitConv(_layout, name, _observation);
            _bodyInputSize = _bitConv.OutputSize;
        }
        else
        {
            _layers.Add(new Conv2D(_layout, name, shape, filters, activation));
        }
        _image = (shape.OutHeight, shape.OutWidth, filters);
        return this;
    }

    public TorsoBuilder MaxPool(int kernel, int stride, int padding)
    {
        var shape = Shape(kernel, stride, padding);
        _layers.Add(new MaxPool(shape));
        _image = (shape.OutHeight, shape.OutWidth, shape.Channels);
        return this;
    }

    public TorsoBuilder Relu()
    {
        _layers.Add(new Relu(Size));
        return this;
    }

    /// <summary>x + conv(relu(conv(relu(x)))) with 3x3 filters, as many as there are channels (Espeholt et al. 2018, figure 3).</summary>
    public TorsoBuilder ResidualBlock(string name)
    {
        var shape = Shape(kernel: 3, stride: 1, padding: 1);
        _layers.Add(new ResidualBlock(new Sequential(
            Size, new Relu(Size), new Conv2D(_layout, $"{name}.conv1", shape, shape.Channels, Activation.Relu),
            new Conv2D(_layout, $"{name}.conv2", shape, shape.Channels, activation: null))));
        return this;
    }

    public Torso Build() => new(_observation, _bitConv, new Sequential(_bodyInputSize, _layers.ToImmutable()));

    private ConvolutionShape Shape(int kernel, int stride, int padding) => _image.Channels > 0
        ? new ConvolutionShape(_image.Height, _image.Width, _image.Channels, kernel, kernel, stride, padding)
        : throw new InvalidOperationException("Convolution and pooling need an image [height, width, channels], not a vector.");
}

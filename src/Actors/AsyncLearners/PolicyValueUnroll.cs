using Rl.Distributed.Core.Networks;

namespace Rl.Distributed.Actors.AsyncLearners;

internal sealed class PolicyValueUnroll
{
    private readonly PolicyValueNetwork _network;
    private readonly int _environments, _rowBytes;
    private readonly NetworkWorkspace _acting, _training;
    private readonly byte[] _observations;
    private readonly float[] _logits, _values;

    public PolicyValueUnroll(PolicyValueNetwork network, int steps, int environments, bool training)
    {
        (_network, _environments) = (network, environments);
        _rowBytes = network.Observation.ByteCount * environments;
        _acting = network.CreateWorkspace(environments, false);
        _training = network.CreateWorkspace(training ? steps * environments : 1, training);
        _observations = new byte[steps * _rowBytes];
        (_logits, _values) = (new float[steps * environments * network.Actions], new float[steps * environments]);
    }

    public int StateSize => 0;

    public void ForwardStep(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, ReadOnlySpan<bool> reset, Span<float> state, int step)
    {
        _network.Forward(parameters, observations, _environments, _acting);
        observations.CopyTo(_observations.AsSpan(step * _rowBytes));
        _acting.Logits.CopyTo(LogitsAt(step));
        _acting.Values.CopyTo(ValuesAt(step));
    }

    public Span<float> LogitsAt(int step) =>
        _logits.AsSpan(step * _environments * _network.Actions, _environments * _network.Actions);

    public Span<float> ValuesAt(int step) => _values.AsSpan(step * _environments, _environments);

    public void Backward(
        ReadOnlySpan<float> parameters, int steps, ReadOnlySpan<float> logitGradient, ReadOnlySpan<float> valueGradient, Span<float> gradient)
    {
        _network.Forward(parameters, _observations.AsSpan(0, steps * _rowBytes), steps * _environments, _training);
        _network.Backward(parameters, steps * _environments, _training, logitGradient, valueGradient, gradient);
    }
}

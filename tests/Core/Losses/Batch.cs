using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Tests.Losses;

/// <summary>A random batch [T][B] with policies far enough apart that ratios lie on both sides of 1.</summary>
internal sealed class Batch
{
    private readonly int _steps, _environments, _actions;

    public Batch(int steps, int environments, int actions, ulong seed)
    {
        (_steps, _environments, _actions) = (steps, environments, actions);
        var random = RandomStream.Create(seed, StreamRole.Environment);
        var frames = steps * environments;
        float[] Uniform(int count, float size) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2f - 1f) * size)];
        (Behaviour, Logits) = (Uniform(frames * actions, 2f), Uniform(frames * actions, 2f));
        (Values, Rewards) = (Uniform(frames + environments, 3f), Uniform(frames, 1f));
        Discounts = [.. Enumerable.Range(0, frames).Select(_ => random.NextInt32(6) == 0 ? 0f : 0.97f)];
        Chosen = [.. Enumerable.Range(0, frames).Select(_ => random.NextInt32(actions))];
    }

    public float[] Behaviour { get; private init; }

    public float[] Logits { get; private init; }

    public float[] Values { get; private init; }

    public float[] Rewards { get; private init; }

    public float[] Discounts { get; private init; }

    public int[] Chosen { get; private init; }

    public ImpalaLossWorkspace Workspace() => new(_steps, _environments, _actions);

    /// <summary>Full of NaN, so that what is not written shows.</summary>
    public (float[] Logits, float[] Values) Gradients()
    {
        var (logits, values) = (new float[Logits.Length], new float[Rewards.Length]);
        Array.Fill(logits, float.NaN);
        Array.Fill(values, float.NaN);
        return (logits, values);
    }

    public ImpalaLossValues Compute(
        ImpalaLossOptions options, ImpalaLossWorkspace workspace, (float[] Logits, float[] Values) gradients, float[]? logits = null) =>
        ImpalaLoss.Compute(
            _steps, _environments, _actions, Behaviour, logits ?? Logits, Values, Chosen, Rewards, Discounts, options, workspace,
            gradients.Logits, gradients.Values);

    public ImpalaLossValues ComputeScalar(ImpalaLossOptions options, (float[] Logits, float[] Values) gradients) => ImpalaLoss.ComputeScalar(
        _steps, _environments, _actions, Behaviour, Logits, Values, Chosen, Rewards, Discounts, options, gradients.Logits, gradients.Values);

    public float[] Advantages(ImpalaLossOptions options)
    {
        var (targets, advantages) = (new float[Rewards.Length], new float[Rewards.Length]);
        float[] ratios = [.. Chosen.Select((action, i) => MathF.Exp(
            LogSoftmax.Of(Logits.AsSpan(i * _actions, _actions), action) - LogSoftmax.Of(Behaviour.AsSpan(i * _actions, _actions), action)))];
        VTrace.ComputeBatchScalar(_steps, _environments, Rewards, Discounts, ratios, Values, options.VTrace, targets, advantages);
        return advantages;
    }

    /// <summary>The environments first … first + count - 1.</summary>
    public Batch Shard(int first, int count)
    {
        T[] Columns<T>(T[] all, int width) =>
            [.. all.Where((_, i) => i / width % _environments >= first && i / width % _environments < first + count)];
        return new Batch(_steps, count, _actions, 0)
        {
            Behaviour = Columns(Behaviour, _actions),
            Logits = Columns(Logits, _actions),
            Values = Columns(Values, 1),
            Rewards = Columns(Rewards, 1),
            Discounts = Columns(Discounts, 1),
            Chosen = Columns(Chosen, 1),
        };
    }
}

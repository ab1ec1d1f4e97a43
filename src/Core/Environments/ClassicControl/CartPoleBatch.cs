using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>A batch of <see cref="CartPole"/>, one array a state variable so that the motion is computed in vectors.</summary>
/// <remarks>Gives the same episodes, to the bit, as the general batch of the one-cart struct.</remarks>
public sealed class CartPoleBatch : IEnvironmentBatch
{
    private readonly double[] _x, _speed, _angle, _spin;
    private readonly int[] _steps;
    private RandomDraws _draws;

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public CartPoleBatch(EnvironmentOptions options, int count, RandomStream random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        Spec = TimeLimited<CartPole, int>.Spec(options);
        (_x, _speed, _angle, _spin) = (new double[count], new double[count], new double[count], new double[count]);
        _steps = new int[count];
        _draws = new RandomDraws(random);
        for (var i = 0; i < count; i++) Start(i);
    }

    public EnvironmentSpec Spec { get; }

    public int Count => _x.Length;

    public void Reset(Span<byte> observations)
    {
        BatchArguments.CheckReset(Spec, Count, observations);
        var rows = MemoryMarshal.Cast<byte, Vector128<float>>(observations);
        for (var i = 0; i < Count; i++)
        {
            Start(i);
            rows[i] = Observe(i);
        }
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        BatchArguments.CheckStep(Spec, Count, actions.Length, results);
        BatchArguments.CheckActions(Spec, actions, 2);
        CartPoleKernel.Step(_x, _speed, _angle, _spin, actions);
        results.Rewards.Fill(1);
        var rows = MemoryMarshal.Cast<byte, Vector128<float>>(results.Observations);
        var finals = MemoryMarshal.Cast<byte, Vector128<float>>(results.FinalObservations);
        for (var i = 0; i < _steps.Length; i++)
        {
            var terminated = CartPole.IsLost(_x[i], _angle[i]);
            var truncated = ++_steps[i] >= CartPole.StepLimit;
            (results.Terminated[i], results.Truncated[i]) = (terminated, truncated);
            if (terminated | truncated)
            {
                finals[i] = Observe(i);
                Start(i);
            }
            rows[i] = Observe(i);
        }
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results) =>
        throw new NotSupportedException($"Environment '{Spec.Name}' has discrete actions.");

    public void Render(int index, TextCanvas canvas)
    {
        BatchArguments.CheckIndex(index, Count);
        CartPolePicture.Draw(_x[index], _angle[index], canvas);
    }

    private void Start(int i)
    {
        _steps[i] = 0;
        _x[i] = CartPole.Start(ref _draws);
        _speed[i] = CartPole.Start(ref _draws);
        _angle[i] = CartPole.Start(ref _draws);
        _spin[i] = CartPole.Start(ref _draws);
    }

    private Vector128<float> Observe(int i) => Vector128.Narrow(Vector128.Create(_x[i], _speed[i]), Vector128.Create(_angle[i], _spin[i]));
}

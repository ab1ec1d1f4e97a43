using System.Text.Json;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.Core.Tests.Optimizers;

public sealed class OptimizerTests
{
    [Fact]
    public void Parameters_and_state_after_each_step_are_the_oracles()
    {
        foreach (var c in OracleFiles.Math("optimizers"))
        {
            var hyper = c.GetProperty("hyper");
            var parameters = c.Floats("param0");
            var optimizer = Make(c.GetProperty("kind").GetString()!, hyper, parameters.Length);
            var step = 0;
            foreach (var gradient in c.GetProperty("grads").EnumerateArray())
            {
                optimizer.Step(parameters, OracleFiles.Floats(gradient), (float)hyper.Number("lr"));

                Near.All(OracleFiles.Doubles(c.GetProperty("params_after")[step]), parameters);
                var state = c.GetProperty("state_after")[step];
                foreach (var (name, values) in optimizer.State)
                {
                    // torch makes some slots only when they are first used.
                    if (state.TryGetProperty(name, out var slot)) Near.All(OracleFiles.Doubles(slot), values);
                }
                Assert.Equal(++step, optimizer.StepCount);
            }
        }
    }

    [Fact]
    public void Every_slot_that_the_oracles_name_is_saved()
    {
        string[] shared = ["square_avg", "grad_avg", "momentum_buffer", "exp_avg", "exp_avg_sq"];
        foreach (var c in OracleFiles.Math("optimizers"))
        {
            var optimizer = Make(c.GetProperty("kind").GetString()!, c.GetProperty("hyper"), 1);
            var last = c.GetProperty("state_after").EnumerateArray().Last();

            foreach (var name in shared)
            {
                if (last.TryGetProperty(name, out _)) Assert.Contains(name, optimizer.State.Select(slot => slot.Name));
            }
        }
    }

    public static TheoryData<string> Names => [.. Variants.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_vector_form_is_its_scalar_twin_to_the_bit_at_every_size(string name)
    {
        foreach (var count in (int[])[0, 1, 7, 8, 9, 15, 16, 17, 33])
        {
            var (fast, slow) = (Variants[name](count), Variants[name](count));
            var (x, y) = (Numbers(count, 1), Numbers(count, 1));
            for (var step = 0; step < 4; step++)
            {
                var gradient = Numbers(count, 10 + (ulong)step);
                fast.Step(x, gradient, 0.01f, 0.7f);
                StepScalar(slow, y, gradient, 0.01f, 0.7f);
            }
            Assert.Equal(y, x);
            foreach (var (a, b) in slow.State.Zip(fast.State)) Assert.Equal(a.Values, b.Values);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_gradient_scale_is_a_factor_of_the_gradient(string name)
    {
        var (scaled, plain) = (Variants[name](19), Variants[name](19));
        var (x, y) = (Numbers(19, 1), Numbers(19, 1));
        for (var step = 0; step < 3; step++)
        {
            var gradient = Numbers(19, 20 + (ulong)step);
            scaled.Step(x, gradient, 0.01f, 0.25f);
            plain.Step(y, [.. gradient.Select(g => g * 0.25f)], 0.01f);
        }
        Assert.Equal(y, x);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_restored_optimizer_goes_on_as_if_nothing_had_happened(string name)
    {
        var (before, after) = (Variants[name](11), Variants[name](11));
        var (x, y) = (Numbers(11, 1), Numbers(11, 1));
        before.Step(x, Numbers(11, 2), 0.01f);
        before.Step(x, Numbers(11, 3), 0.01f);

        after.StepCount = before.StepCount;
        foreach (var (from, to) in before.State.Zip(after.State))
        {
            Assert.Equal(from.Name, to.Name);
            from.Values.CopyTo(to.Values, 0);
        }
        x.CopyTo(y, 0);
        before.Step(x, Numbers(11, 4), 0.01f);
        after.Step(y, Numbers(11, 4), 0.01f);

        Assert.Equal(x, y);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_step_allocates_nothing(string name)
    {
        var optimizer = Variants[name](100);
        var (x, gradient) = (Numbers(100, 1), Numbers(100, 2));
        optimizer.Step(x, gradient, 0.01f);

        var before = GC.GetAllocatedBytesForCurrentThread();
        optimizer.Step(x, gradient, 0.01f);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_wrong_length_is_refused(string name)
    {
        var optimizer = Variants[name](4);

        Assert.Throws<ArgumentException>(() => optimizer.Step(new float[4], new float[5], 0.1f));
        Assert.Throws<ArgumentException>(() => optimizer.Step(new float[3], new float[4], 0.1f));
    }

    private static Dictionary<string, Func<int, IOptimizer>> Variants { get; } = new()
    {
        ["rmsprop"] = count => new RmsProp(count),
        ["rmsprop tf momentum"] = count => new RmsProp(count, 0.95, 0.01, true, 0.9, false, 1),
        ["rmsprop centered"] = count => new RmsProp(count, 0.95, 0.01, centered: true),
        ["rmsprop tf centered momentum"] = count => new RmsProp(count, 0.95, 0.01, true, 0.9, true, 1),
        ["adam"] = count => new Adam(count),
        ["adam coupled"] = count => new Adam(count, weightDecay: 0.1),
        ["adam decoupled"] = count => new Adam(count, weightDecay: 0.1, decoupledWeightDecay: true),
        ["sgd"] = count => new Sgd(count, weightDecay: 0.1),
        ["sgd momentum"] = count => new Sgd(count, 0.9),
        ["sgd nesterov"] = count => new Sgd(count, 0.9, true),
        ["adagrad"] = count => new AdaGrad(count),
        ["rprop"] = count => new Rprop(count),
    };

    private static IOptimizer Make(string kind, JsonElement hyper, int count)
    {
        switch (kind)
        {
            case "rmsprop_torch" or "rmsprop_tf":
                var tensorFlow = kind == "rmsprop_tf";
                return new RmsProp(
                    count, hyper.Number("alpha"), hyper.Number("eps"), tensorFlow, hyper.Number("momentum", 0), hyper.Flag("centered"), tensorFlow ? 1 : 0);
            case "adam_torch" or "adamw_torch":
                var betas = hyper.Doubles("betas");
                return new Adam(count, betas[0], betas[1], hyper.Number("eps"), hyper.Number("weight_decay", 0), kind == "adamw_torch");
            default:
                return new Sgd(count, hyper.Number("momentum", 0), hyper.Flag("nesterov"), hyper.Number("weight_decay", 0));
        }
    }

    private static void StepScalar(IOptimizer optimizer, float[] parameters, float[] gradient, float rate, float scale)
    {
        switch (optimizer)
        {
            case RmsProp rmsProp: rmsProp.StepScalar(parameters, gradient, rate, scale); break;
            case Adam adam: adam.StepScalar(parameters, gradient, rate, scale); break;
            case Sgd sgd: sgd.StepScalar(parameters, gradient, rate, scale); break;
            case AdaGrad adaGrad: adaGrad.StepScalar(parameters, gradient, rate, scale); break;
            case Rprop rprop: rprop.StepScalar(parameters, gradient, rate, scale); break;
            default: throw new ArgumentException($"{optimizer.GetType().Name} has no scalar twin here.");
        }
    }

    private static float[] Numbers(int count, ulong seed)
    {
        var random = RandomStream.Create(seed, StreamRole.Initialization);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextGaussian())];
    }
}

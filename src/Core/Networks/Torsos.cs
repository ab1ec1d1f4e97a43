using System.Collections.Immutable;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Networks;

/// <summary>The torsos that <see cref="NetworkOptions.Torso"/> names.</summary>
/// <remarks>
/// minatar: Young and Tian 2019, the networks of MinAtar's own agents. nature: Mnih et al. 2015. impala-shallow and
/// impala-deep: Espeholt et al. 2018, figure 3, without LSTM and language; the deep one's max-pooling pads by 1 on all sides.
/// </remarks>
public static class Torsos
{
    public static ImmutableArray<string> Names { get; } = ["mlp", "minatar", "nature", "impala-shallow", "impala-deep"];

    /// <exception cref="ArgumentException">The name is unknown, or the observation or an option does not suit that torso.</exception>
    public static Torso Create(NetworkOptions options, ParameterLayoutBuilder layout, ObservationSpec observation)
    {
        var builder = new TorsoBuilder(layout, observation);
        switch (options.Torso)
        {
            case "mlp":
                BuildMlp(options, builder);
                break;
            case "minatar":
                NeedImage(options, observation, smallest: 3);
                builder.Conv("conv1", 16, 3, 1).Dense("dense1", 128);
                break;
            case "nature":
                NeedImage(options, observation, smallest: 36);
                builder.Conv("conv1", 32, 8, 4).Conv("conv2", 64, 4, 2).Conv("conv3", 64, 3, 1).Dense("dense1", 512);
                break;
            case "impala-shallow":
                NeedImage(options, observation, smallest: 20);
                builder.Conv("conv1", 16, 8, 4).Conv("conv2", 32, 4, 2).Dense("dense1", 256);
                break;
            case "impala-deep":
                NeedImage(options, observation, smallest: 1);
                BuildDeep(builder);
                break;
            default:
                throw new ArgumentException($"Torso '{options.Torso}' is unknown; there are: {string.Join(", ", Names)}.", nameof(options));
        }
        return builder.Build();
    }

    private static void BuildMlp(NetworkOptions options, TorsoBuilder builder)
    {
        if (options.Hidden.IsDefault || options.Hidden.Any(units => units <= 0))
            throw new ArgumentException("Hidden lists the units of each hidden layer; each must be positive.", nameof(options));
        if (!Enum.IsDefined(options.Activation))
            throw new ArgumentException(
                $"Activation '{options.Activation}' is unknown; there are: {string.Join(", ", Enum.GetNames<Activation>())}.",
                nameof(options));
        for (var i = 0; i < options.Hidden.Length; i++) builder.Dense($"dense{i + 1}", options.Hidden[i], options.Activation);
    }

    private static void BuildDeep(TorsoBuilder builder)
    {
        ReadOnlySpan<int> channels = [16, 32, 32];
        for (var i = 1; i <= channels.Length; i++)
        {
            builder.Conv($"stack{i}.conv", channels[i - 1], 3, 1, padding: 1, activation: null).MaxPool(3, 2, 1)
                .ResidualBlock($"stack{i}.block1").ResidualBlock($"stack{i}.block2");
        }
        builder.Relu().Dense("dense1", 256);
    }

    private static void NeedImage(NetworkOptions options, ObservationSpec observation, int smallest)
    {
        if (observation.Shape is [var height, var width, _] && height >= smallest && width >= smallest) return;
        throw new ArgumentException(
            $"Torso '{options.Torso}' needs images [height, width, channels] of at least {smallest}x{smallest} pixels, "
            + $"not {observation}; torso 'mlp' takes any shape.",
            nameof(observation));
    }
}

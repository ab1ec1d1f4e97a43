using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Environments.Tetris;

namespace Rl.Distributed.Core.Tests.Environments;

public class ContractTests
{
    public static TheoryData<EnvironmentOptions> Environments()
    {
        var data = new TheoryData<EnvironmentOptions>();
        foreach (var entry in EnvironmentRegistry.Default.Entries)
        {
            var options = new EnvironmentOptions { Name = entry.Name };
            data.Add(options);
            if (entry.Options.Contains(nameof(options.MinimalActions)))
                // Not 0: the only luck of Space Invaders is whether actions stick, and the contract wants some.
                data.Add(options with { MinimalActions = true, Ramping = false, StickyActions = 0.5 });
            if (entry.Options.Contains(nameof(options.FallingPieces)))
            {
                data.Add(options with { FallingPieces = true });
                data.Add(options with { TetrisObservation = TetrisObservation.Bertsekas });
                data.Add(options with { TetrisObservation = TetrisObservation.Bcts });
            }
            if (entry.Options.Contains(nameof(options.Length))) data.Add(options with { Length = 1 });
            if (entry.Options.Contains(nameof(options.Size))) data.Add(options with { Size = 7 });
            if (entry.Options.Contains(nameof(options.Bits))) data.Add(options with { Bits = 40 });
            if (entry.Options.Contains(nameof(options.Stochastic))) data.Add(options with { Stochastic = true });
            if (entry.Options.Contains(nameof(options.Goal))) data.Add(options with { Goal = true });
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Environments))]
    public void Every_environment_keeps_the_contract(EnvironmentOptions options)
    {
        var checks = EnvironmentContract.Check(options);
        Assert.True(checks.All(check => check.Passed), string.Join('\n', checks));
    }

    [Fact]
    public void The_general_batch_of_one_cart_keeps_the_contract_too()
    {
        var checks = EnvironmentContract.Check(
            (count, random) => new GameBatch<TimeLimited<CartPole, int>, int>(new EnvironmentOptions(), count, random));
        Assert.True(checks.All(check => check.Passed), string.Join('\n', checks));
    }
}

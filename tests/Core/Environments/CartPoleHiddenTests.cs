using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class CartPoleHiddenTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    public void Episodes_are_those_of_the_cart_and_only_position_and_angle_are_shown(int count)
    {
        var hidden = Play.Of(new EnvironmentOptions { Name = "cartpole-hidden" }, count);
        var seen = Play.Of(new EnvironmentOptions { Name = "cartpole" }, count);
        var choices = RandomStream.Create(3, StreamRole.Policy);
        var (terminations, truncations) = (0, 0);
        for (var step = 0; step < 1200; step++)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.Equal([seen.Shown(i)[0], seen.Shown(i)[2]], hidden.Shown(i));
                var s = seen.Shown(i);
                // The even copies are balanced, with what only the other batch shows.
                var balancing = 0.1f * s[0] + 0.3f * s[1] + 3f * s[2] + s[3] > 0 ? 1 : 0;
                seen.Actions[i] = hidden.Actions[i] = i % 2 == 1 ? choices.NextInt32(2) : balancing;
            }
            hidden.Step();
            seen.Step();
            Assert.Equal(seen.Rewards, hidden.Rewards);
            Assert.Equal(seen.Terminated, hidden.Terminated);
            Assert.Equal(seen.Truncated, hidden.Truncated);
            for (var i = 0; i < count; i++)
            {
                if (!(seen.Terminated[i] | seen.Truncated[i])) continue;
                var all = MemoryMarshal.Cast<byte, float>(seen.Finals);
                var two = MemoryMarshal.Cast<byte, float>(hidden.Finals);
                Assert.Equal((all[4 * i], all[4 * i + 2]), (two[2 * i], two[2 * i + 1]));
            }
            terminations += seen.Terminated.Count(ended => ended);
            truncations += seen.Truncated.Count(ended => ended);
        }
        Assert.Equal(2 * ((count + 1) / 2), truncations);
        Assert.Equal(count > 1, terminations > 0);
        Assert.Equal(seen.Picture(0), hidden.Picture(0));
    }
}

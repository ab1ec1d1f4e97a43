using System.Runtime.InteropServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Contract;

/// <summary>The checks of what an environment does when it is used as it should be.</summary>
/// <remarks>Each returns what it saw, or throws a violation.</remarks>
internal sealed class PlayChecks(Func<int, RandomStream, IEnvironmentBatch> create, int steps, bool needsLuck)
{
    public string Sizes()
    {
        foreach (var count in (ReadOnlySpan<int>)[1, 2, 33])
        {
            var batch = create(count, RandomStream.Create(1, StreamRole.Environment));
            if (batch.Count != count) throw new ContractViolation($"asked for {count} environments, Count is {batch.Count}");
            if (string.IsNullOrWhiteSpace(batch.Spec.Name)) throw new ContractViolation("the spec has no name");
        }
        var spec = create(1, RandomStream.Create(1, StreamRole.Environment)).Spec;
        return $"{spec.Observation}, {(spec.Action is DiscreteActionSpec discrete ? $"{discrete.Count} actions" : "continuous actions")}";
    }

    public string SameSeed()
    {
        var (one, other) = (new ContractPlayer(create), new ContractPlayer(create));
        if (one.Difference(other) is { } difference) throw new ContractViolation($"{difference} differs after the reset");
        one.StepTogether(other, steps, "the seeds and the actions were the same");
        return Seen(one);
    }

    public string OtherSeed()
    {
        var (one, other) = (new ContractPlayer(create), new ContractPlayer(create, seed: 2));
        for (var step = 0; step <= steps; step++)
        {
            if (one.Difference(other) is not null) return step == 0 ? "from the first observation on" : $"from step {step} on";
            one.Step();
            other.Step();
        }
        var seen = $"two seeds gave the same {steps} steps";
        if (!needsLuck) return $"not so: {seen}. If there is to be luck, draw it from the random stream that is passed in";
        throw new ContractViolation($"{seen}; is the stream that the factory is given in use?");
    }

    public string WrittenInFull()
    {
        var (zeros, ones) = (new ContractPlayer(create), new ContractPlayer(create, ones: true));
        MustBeWritten(zeros, ones);
        zeros.StepTogether(ones, steps, "it depends on what the memory held before");
        return "";
    }

    public string Finite()
    {
        var player = new ContractPlayer(create);
        for (var step = 0; step <= steps; step++)
        {
            if (step > 0) player.Step();
            for (var i = 0; i < ContractPlayer.Count; i++)
            {
                if (!float.IsFinite(player.Rewards[i])) throw new ContractViolation($"reward {player.Rewards[i]} at step {step}");
                CheckRow(player, player.Row(player.Observations, i), step);
                if (step > 0 && player.Ended(i)) CheckRow(player, player.Row(player.Finals, i), step);
            }
        }
        return "";
    }

    public string Finals()
    {
        var (zeros, ones) = (new ContractPlayer(create), new ContractPlayer(create, ones: true));
        // Where nothing ever changes, such as the view of a bandit, nothing can be renewed.
        var (first, renewed, changes) = (zeros.Observations.ToArray(), false, false);
        for (var step = 1; step <= steps; step++)
        {
            zeros.Step();
            ones.Step();
            for (var i = 0; i < ContractPlayer.Count; i++)
            {
                var final = zeros.Row(zeros.Finals, i);
                changes |= !zeros.Row(zeros.Observations, i).SequenceEqual(zeros.Row(first, i));
                var otherFinal = ones.Row(ones.Finals, i);
                if (zeros.Ended(i))
                {
                    if (!final.SequenceEqual(otherFinal))
                        throw new ContractViolation($"an episode ended at step {step}, but its final observation was not written in full");
                    renewed |= !final.SequenceEqual(zeros.Row(zeros.Observations, i));
                }
                else if (final.ContainsAnyExcept(zeros.Rubbish) || otherFinal.ContainsAnyExcept(ones.Rubbish))
                {
                    throw new ContractViolation($"no episode ended at step {step}, but a final observation was written");
                }
            }
        }
        if (zeros.Episodes > 0 && changes && !renewed)
            throw new ContractViolation("after its end an episode shows on: every next observation was the final one");
        return Seen(zeros);
    }

    public string ResetAnytime()
    {
        var (zeros, ones) = (new ContractPlayer(create), new ContractPlayer(create, ones: true));
        zeros.StepTogether(ones, 5, "the seeds and the actions were the same");
        zeros.Reset();
        ones.Reset();
        MustBeWritten(zeros, ones);
        zeros.StepTogether(ones, 50, "the seeds and the actions were the same, with a Reset between");
        return "";
    }

    public string Allocations()
    {
        var player = new ContractPlayer(create);
        long allocated = 0;
        // The runtime itself may allocate while it still compiles: only the last of several rounds must be clean.
        for (var round = 0; round < 4; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var step = 0; step < Math.Min(steps, 300); step++) player.Step();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated == 0) return "";
        }
        throw new ContractViolation($"{allocated} bytes in {Math.Min(steps, 300)} steps of {ContractPlayer.Count} environments");
    }

    public string Pictures()
    {
        var (drawn, plain) = (new ContractPlayer(create), new ContractPlayer(create));
        var canvas = new TextCanvas();
        for (var step = 0; step < Math.Min(steps, 100); step++)
        {
            for (var i = 0; i < ContractPlayer.Count; i++) drawn.Batch.Render(i, canvas);
            drawn.StepTogether(plain, 1, "one of the two was drawn before");
        }
        for (var y = 0; y < canvas.Height; y++)
            for (var x = 0; x < canvas.Width; x++)
                if (canvas.CharacterAt(x, y) != ' ') return $"{canvas.Width} × {canvas.Height} characters";
        throw new ContractViolation("the picture is empty");
    }

    public string PictureAllocations()
    {
        var player = new ContractPlayer(create);
        var canvas = new TextCanvas();
        long allocated = 0;
        // As for stepping: only the last of several rounds must be clean.
        for (var round = 0; round < 4; round++)
        {
            player.Step();
            player.Batch.Render(0, canvas);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < ContractPlayer.Count; i++) player.Batch.Render(i, canvas);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated == 0) return "";
        }
        throw new ContractViolation($"{allocated} bytes in {ContractPlayer.Count} pictures");
    }

    private static void MustBeWritten(ContractPlayer zeros, ContractPlayer ones)
    {
        if (!zeros.Observations.AsSpan().SequenceEqual(ones.Observations))
            throw new ContractViolation("Reset did not write every observation in full");
    }

    private static void CheckRow(ContractPlayer player, Span<byte> row, int step)
    {
        var observation = player.Batch.Spec.Observation;
        if (observation.Type == ElementType.Float32)
            foreach (var value in MemoryMarshal.Cast<byte, float>(row))
                if (!float.IsFinite(value)) throw new ContractViolation($"an observation holds {value} at step {step}");
        if (observation.Type == ElementType.Bit && observation.ElementCount % 8 is > 0 and var used && row[^1] >> used != 0)
            throw new ContractViolation($"bits behind the last element of an observation are set at step {step}");
    }

    private string Seen(ContractPlayer player) => player.Episodes == 0
        ? $"no episode ended within {steps} steps"
        : $"{player.Episodes} episodes in {steps} steps of {ContractPlayer.Count} environments";
}

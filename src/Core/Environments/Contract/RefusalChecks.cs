using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Contract;

/// <summary>The checks of what an environment refuses.</summary>
/// <remarks>Each returns what it saw, or throws a violation.</remarks>
internal sealed class RefusalChecks(Func<int, RandomStream, IEnvironmentBatch> create)
{
    private const int StepsAfter = 20;

    private static readonly string[] Spans = ["actions", "Observations", "FinalObservations", "Rewards", "Terminated", "Truncated"];

    public string BadActions()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        if (player.Batch.Spec.Action is not DiscreteActionSpec discrete) return "the actions are continuous";
        foreach (var bad in (ReadOnlySpan<int>)[-1, discrete.Count, int.MaxValue, int.MinValue])
            foreach (var index in (ReadOnlySpan<int>)[0, ContractPlayer.Count / 2, ContractPlayer.Count - 1])
            {
                MustRefuse<ArgumentOutOfRangeException>(player, twin, Play, $"action {bad}");
                void Play(ContractPlayer it)
                {
                    Array.Clear(it.Actions);
                    it.Actions[index] = bad;
                    it.Batch.Step(it.Actions, it.Results);
                }
            }
        return "";
    }

    public string WrongLengths()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        var (bytes, forces) = (player.Observations.Length, player.Forces.Length);
        foreach (var extra in (ReadOnlySpan<int>)[-1, 1])
        {
            MustRefuse<ArgumentException>(player, twin, it => it.Batch.Reset(new byte[bytes + extra]), "Reset with a wrong length");
            for (var which = 0; which < Spans.Length; which++)
            {
                var wrong = which;
                MustRefuse<ArgumentException>(player, twin, Play, $"{Spans[which]} of a wrong length");
                void Play(ContractPlayer it)
                {
                    int Length(int span, int right) => span == wrong ? right + extra : right;
                    var results = new StepResults
                    {
                        Observations = new byte[Length(1, bytes)],
                        FinalObservations = new byte[Length(2, bytes)],
                        Rewards = new float[Length(3, ContractPlayer.Count)],
                        Terminated = new bool[Length(4, ContractPlayer.Count)],
                        Truncated = new bool[Length(5, ContractPlayer.Count)],
                    };
                    if (forces > 0) it.Batch.Step(new float[Length(0, forces)], results);
                    else it.Batch.Step(new int[Length(0, ContractPlayer.Count)], results);
                }
            }
        }
        return "";
    }

    public string WrongKind()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        MustRefuse<NotSupportedException>(player, twin, Play, "the other kind of actions");
        return "";

        static void Play(ContractPlayer it)
        {
            if (it.Forces.Length > 0) it.Batch.Step(it.Actions, it.Results);
            else it.Batch.Step(new float[ContractPlayer.Count], it.Results);
        }
    }

    public string BadIndices()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        var canvas = new TextCanvas();
        MustRefuse<ArgumentOutOfRangeException>(player, twin, it => it.Batch.Render(-1, canvas), "Render(-1)");
        MustRefuse<ArgumentOutOfRangeException>(player, twin, it => it.Batch.Render(ContractPlayer.Count, canvas), "Render(Count)");
        var luck = RandomStream.Create(1, StreamRole.Environment);
        MustRefuse<ArgumentOutOfRangeException>(player, twin, _ => create(0, luck), "a size of 0");
        return "";
    }

    /// <summary>The attempt must throw this and leave the memory alone; play goes on as that of the twin, who never tried.</summary>
    private static void MustRefuse<TException>(ContractPlayer player, ContractPlayer twin, Action<ContractPlayer> attempt, string what)
        where TException : Exception
    {
        player.FillWithRubbish();
        try
        {
            attempt(player);
        }
        catch (TException)
        {
            if (!player.IsUntouched()) throw new ContractViolation($"{what} was refused, but results had been written");
            player.StepTogether(twin, StepsAfter, $"{what} was refused, but something had moved");
            return;
        }
        catch (Exception error) when (error is not ContractViolation)
        {
            throw new ContractViolation($"{what} should give {typeof(TException).Name}, but gave {error.GetType().Name}: {error.Message}");
        }
        throw new ContractViolation($"{what} should give {typeof(TException).Name}, but was accepted");
    }
}

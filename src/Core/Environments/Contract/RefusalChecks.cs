using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Contract;

/// <summary>The checks of what an environment refuses. Each returns what it saw, or throws a violation.</summary>
internal sealed class RefusalChecks(Func<int, RandomStream, IEnvironmentBatch> create)
{
    private const int StepsAfter = 20;

    private delegate void Attempt(ContractPlayer player);

    public string BadActions()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        if (player.Batch.Spec.Action is not DiscreteActionSpec discrete) return "the actions are continuous";
        foreach (var bad in (ReadOnlySpan<int>)[-1, discrete.Count, int.MaxValue, int.MinValue])
            foreach (var index in (ReadOnlySpan<int>)[0, ContractPlayer.Count / 2, ContractPlayer.Count - 1])
            {
                void Play(ContractPlayer player)
                {
                    Array.Clear(player.Actions);
                    player.Actions[index] = bad;
                    player.Batch.Step(player.Actions, player.Results);
                }
                MustRefuse<ArgumentOutOfRangeException>(player, twin, Play, $"action {bad}");
            }
        return "";
    }

    public string WrongLengths()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        var continuous = player.Forces.Length > 0;
        foreach (var difference in (ReadOnlySpan<int>)[-1, 1])
        {
            MustRefuse<ArgumentException>(player, twin, player => player.Batch.Reset(new byte[player.Observations.Length + difference]), "Reset with a wrong span");
            MustRefuse<ArgumentException>(player, twin, Play, "actions of a wrong length");
            void Play(ContractPlayer player)
            {
                if (continuous) player.Batch.Step(new float[player.Forces.Length + difference], player.Results);
                else player.Batch.Step(new int[player.Actions.Length + difference], player.Results);
            }
            for (var which = 0; which < 5; which++)
            {
                var wrong = which;
                MustRefuse<ArgumentException>(player, twin, PlayInto, $"{Names[which]} of a wrong length");
                void PlayInto(ContractPlayer player)
                {
                    var bytes = player.Observations.Length;
                    int Length(int span, int length) => span == wrong ? length + difference : length;
                    var results = new StepResults
                    {
                        Observations = new byte[Length(0, bytes)],
                        FinalObservations = new byte[Length(1, bytes)],
                        Rewards = new float[Length(2, ContractPlayer.Count)],
                        Terminated = new bool[Length(3, ContractPlayer.Count)],
                        Truncated = new bool[Length(4, ContractPlayer.Count)],
                    };
                    if (continuous) player.Batch.Step(new float[player.Forces.Length], results);
                    else player.Batch.Step(new int[player.Actions.Length], results);
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

        static void Play(ContractPlayer player)
        {
            if (player.Forces.Length > 0) player.Batch.Step(player.Actions, player.Results);
            else player.Batch.Step(new float[ContractPlayer.Count], player.Results);
        }
    }

    public string BadIndices()
    {
        var (player, twin) = (new ContractPlayer(create), new ContractPlayer(create));
        var canvas = new TextCanvas();
        MustRefuse<ArgumentOutOfRangeException>(player, twin, player => player.Batch.Render(-1, canvas), "Render(-1)");
        MustRefuse<ArgumentOutOfRangeException>(player, twin, player => player.Batch.Render(ContractPlayer.Count, canvas), "Render(Count)");
        MustRefuse<ArgumentOutOfRangeException>(player, twin, _ => create(0, RandomStream.Create(1, StreamRole.Environment)), "a batch of 0 environments");
        return "";
    }

    private static ReadOnlySpan<string> Names => new[] { "Observations", "FinalObservations", "Rewards", "Terminated", "Truncated" };

    /// <summary>The attempt must throw this, leave the player's memory alone, and play must then go on as the twin's, who never attempted it.</summary>
    private static void MustRefuse<TException>(ContractPlayer player, ContractPlayer twin, Attempt attempt, string what) where TException : Exception
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

using Rl.Distributed.Core.Environments.Contract;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments;

/// <summary>One thing that every environment must do, and whether this one does.</summary>
/// <param name="Name">What is checked, as a sentence.</param>
/// <param name="Passed">Whether it holds.</param>
/// <param name="Reason">Why it does not, or what the check saw.</param>
public sealed record ContractCheck(string Name, bool Passed, string Reason)
{
    public override string ToString() => $"{(Passed ? "ok  " : "FAIL")} {Name}{(Reason.Length > 0 ? $": {Reason}" : "")}";
}

/// <summary>Checks any environment against <see cref="IEnvironmentBatch"/> by playing random actions.</summary>
public static class EnvironmentContract
{
    /// <summary>Checks the environment that these options make.</summary>
    /// <param name="options">Names the environment.</param>
    /// <param name="registry">Where it is known; null for those that come with the system.</param>
    /// <param name="steps">How long each check plays, in steps of a small batch.</param>
    /// <exception cref="ArgumentException">The options make no environment.</exception>
    public static IReadOnlyList<ContractCheck> Check(EnvironmentOptions options, EnvironmentRegistry? registry = null, int steps = 3000)
    {
        registry ??= EnvironmentRegistry.Default;
        registry.Spec(options);
        var needsLuck = registry.Entries.Any(entry => entry.Name == options.Name && entry.HasLuck(options));
        return Check((count, random) => registry.Create(options, count, random), steps, needsLuck);
    }

    /// <summary>Checks what a factory makes, given a count and the stream of all its luck.</summary>
    /// <param name="create">The factory.</param>
    /// <param name="steps">How long each check plays, in steps of a small batch.</param>
    /// <param name="needsLuck">Whether an environment that plays the same whatever the seed is at fault.</param>
    public static IReadOnlyList<ContractCheck> Check(
        Func<int, RandomStream, IEnvironmentBatch> create, int steps = 3000, bool needsLuck = true)
    {
        ArgumentNullException.ThrowIfNull(create);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        var made = new List<IEnvironmentBatch>();
        IEnvironmentBatch CreateKept(int count, RandomStream random)
        {
            var batch = create(count, random);
            made.Add(batch);
            return batch;
        }
        var play = new PlayChecks(CreateKept, steps, needsLuck);
        var refusal = new RefusalChecks(CreateKept);
        return
        [
            Checked("the batch has the size asked for", play.Sizes),
            Checked("the same seed gives the same episodes, also side by side", play.SameSeed),
            Checked("another seed gives other episodes", play.OtherSeed),
            Checked("every result is written in full at every step", play.WrittenInFull),
            Checked("observations and rewards are finite", play.Finite),
            Checked("final observations are written exactly where episodes ended", play.Finals),
            Checked("Reset starts new episodes at any time", play.ResetAnytime),
            Checked("stepping allocates nothing", play.Allocations),
            Checked("a picture can be drawn, and drawing changes nothing", play.Pictures),
            Checked("drawing allocates nothing", play.PictureAllocations),
            Checked("a bad action is refused before anything has moved", refusal.BadActions),
            Checked("spans of a wrong length are refused before anything has moved", refusal.WrongLengths),
            Checked("actions of the other kind are refused", refusal.WrongKind),
            Checked("a size of 0 and pictures of copies that do not exist are refused", refusal.BadIndices),
        ];

        ContractCheck Checked(string name, Func<string> check)
        {
            var result = Try(name, check);
            foreach (var batch in made) (batch as IDisposable)?.Dispose();
            made.Clear();
            return result;
        }
    }

    private static ContractCheck Try(string name, Func<string> check)
    {
        try
        {
            return new ContractCheck(name, true, check());
        }
        catch (ContractViolation violation)
        {
            return new ContractCheck(name, false, violation.Message);
        }
        catch (Exception error)
        {
            // The environment is another's code: whatever it throws is its answer to the check.
            return new ContractCheck(name, false, $"it threw {error.GetType().Name}: {error.Message}");
        }
    }
}

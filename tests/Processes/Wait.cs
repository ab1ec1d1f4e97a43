using System.Diagnostics;

namespace Rl.Distributed.Processes.Tests;

/// <summary>Waits for conditions by asking again and again.</summary>
internal static class Wait
{
    /// <summary>Generous: the machine may be busy with other things. A test that fails takes this long.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Asks until there is an answer.</summary>
    /// <returns>The answer.</returns>
    /// <exception cref="TimeoutException">There was none within <see cref="Limit"/>, or <paramref name="trouble"/> says that none will come.</exception>
    public static async Task<T> ForAsync<T>(string what, Func<Task<T?>> ask, Func<string?>? trouble = null)
        where T : class
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await ask() is { } answer) return answer;
            if (trouble?.Invoke() is { } reason) throw new TimeoutException($"Not {what}: {reason}");
            if (Stopwatch.GetElapsedTime(begun) > Limit) throw new TimeoutException($"Not {what} within {Limit.TotalSeconds} s.");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Asks until the condition holds.</summary>
    public static Task UntilAsync(string what, Func<bool> condition, Func<string?>? trouble = null) =>
        ForAsync(what, () => Task.FromResult(condition() ? "" : null), trouble);
}

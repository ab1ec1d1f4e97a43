namespace Rl.Distributed.Core;

/// <summary>Finds what a mistyped name was meant to be.</summary>
public static class NearestName
{
    /// <summary>The candidate that <paramref name="name"/> most likely means, or null where none is near.</summary>
    /// <remarks>
    /// Case does not count. Near is an edit distance (insert, delete, replace, swap of neighbours: optimal string alignment)
    /// of at most a third of the name's length and at least 2; failing that, the shortest candidate which contains the name or
    /// is contained in it ("breakout" finds "minatar-breakout"). Of equally near ones the first wins.
    /// </remarks>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(candidates);
        string? nearest = null, related = null;
        var limit = Math.Max(2, name.Length / 3);
        foreach (var candidate in candidates)
        {
            var distance = Distance(name, candidate);
            if (distance <= limit && distance < Math.Max(name.Length, candidate.Length)) (nearest, limit) = (candidate, distance - 1);
            if (Related(name, candidate) && (related is null || candidate.Length < related.Length)) related = candidate;
        }
        return nearest ?? related;
    }

    /// <summary>"; did you mean 'x'?" or ".", to end a complaint about an unknown name.</summary>
    public static string Hint(string name, IEnumerable<string> candidates) =>
        Find(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : ".";

    private static bool Related(string name, string candidate) =>
        Math.Min(name.Length, candidate.Length) >= 3
        && (candidate.Contains(name, StringComparison.OrdinalIgnoreCase) || name.Contains(candidate, StringComparison.OrdinalIgnoreCase));

    private static int Distance(string a, string b)
    {
        // Three rows of the table suffice: a swap looks two rows back.
        int[] before = new int[b.Length + 1], previous = new int[b.Length + 1], current = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) current[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            (before, previous, current) = (previous, current, before);
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + cost);
                var swapped = i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]);
                if (swapped) current[j] = Math.Min(current[j], before[j - 2] + 1);
            }
        }
        return current[b.Length];
    }

    private static bool Same(char a, char b) => char.ToUpperInvariant(a) == char.ToUpperInvariant(b);
}

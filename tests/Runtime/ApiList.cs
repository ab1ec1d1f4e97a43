namespace Rl.Distributed.Runtime.Tests;

/// <summary>The types of a list of signatures: header and members by full name, nested ones with a dot.</summary>
public static class ApiList
{
    private static readonly string[] Kinds = ["class ", "interface ", "enum ", "struct ", "delegate "];

    public static Dictionary<string, (string Header, HashSet<string> Members)> Read(params string[] files)
    {
        var types = new Dictionary<string, (string, HashSet<string>)>();
        foreach (var file in files)
        {
            var open = new List<string>(); // names by depth
            foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, file)))
            {
                if (line.Length == 0 || line[0] == '#') continue;
                var text = line.TrimStart();
                var depth = (line.Length - text.Length) / 4;
                open.RemoveRange(depth, open.Count - depth);
                if (NameOfType(text) is { } name && (depth == 0 || !text.Contains('(', StringComparison.Ordinal)))
                {
                    open.Add(depth == 0 ? name : open[^1] + "." + name);
                    types[open[^1]] = (text, []);
                }
                else if (Kinds[2] is var kind && types[open[^1]].Item1.Contains(kind, StringComparison.Ordinal))
                {
                    types[open[^1]].Item2.UnionWith(text.Split(", "));
                }
                else
                {
                    types[open[^1]].Item2.Add(text);
                }
            }
        }
        return types;
    }

    /// <summary>The name that a header gives; null if the line is no header.</summary>
    private static string NameOfType(string line)
    {
        foreach (var kind in Kinds)
        {
            var words = line.StartsWith(kind, StringComparison.Ordinal) ? 0 : line.IndexOf(" " + kind, StringComparison.Ordinal) + 1;
            if (words == 0 && !line.StartsWith(kind, StringComparison.Ordinal)) continue;
            var name = line[(words + kind.Length)..];
            if (kind == "delegate ") name = name[(name.IndexOf(' ') + 1)..];
            return name.Split(' ', '<', '(')[0];
        }
        return null;
    }
}

namespace Rl.Distributed.Node.Configuration;

/// <summary>Where a value was written: a file's line, or a command line option (line 0).</summary>
internal readonly record struct ConfigSource(string Name, int Line = 0)
{
    public override string ToString() => Line > 0 ? $"{Name}, line {Line}" : Name;

    public ConfigException Error(string message) => new($"{this}: {message}");
}

/// <summary>A value as it was written, before anybody knows its type.</summary>
internal abstract record ConfigNode(ConfigSource Source);

internal sealed record ConfigScalar(ConfigSource Source, string Text, bool Quoted) : ConfigNode(Source)
{
    public bool IsNull => !Quoted && Text is ("" or "~" or "null");

    public override string ToString() => $"'{Text}'";
}

internal sealed record ConfigSequence(ConfigSource Source, IReadOnlyList<ConfigNode> Items) : ConfigNode(Source)
{
    public override string ToString() => "a list";
}

internal sealed record ConfigMapping(ConfigSource Source, List<ConfigEntry> Entries) : ConfigNode(Source)
{
    /// <summary>Sets the value at a path of keys, making the mappings on the way.</summary>
    public void Set(ReadOnlySpan<string> path, ConfigNode value, ConfigSource source)
    {
        var key = path[0];
        var at = Entries.FindIndex(entry => entry.Key == key);
        if (path.Length == 1)
        {
            var entry = new ConfigEntry(key, source, value);
            if (at < 0) Entries.Add(entry);
            else Entries[at] = entry;
            return;
        }
        if (at < 0 || Entries[at].Value is not ConfigMapping inner)
        {
            inner = new ConfigMapping(source, []);
            var entry = new ConfigEntry(key, source, inner);
            if (at < 0) Entries.Add(entry);
            else Entries[at] = entry;
        }
        inner.Set(path[1..], value, source);
    }

    public override string ToString() => "a mapping";
}

internal sealed record ConfigEntry(string Key, ConfigSource Source, ConfigNode Value);

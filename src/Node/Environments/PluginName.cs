namespace Rl.Distributed.Node.Environments;

/// <summary>The name of a user's own environment: <c>path/My.dll:MyNamespace.MyEnv</c>, or <c>path/My.dll</c> where it has only one.</summary>
/// <param name="Path">The assembly's file, as it was written.</param>
/// <param name="Type">The type's full name; empty where none was given.</param>
internal readonly record struct PluginName(string Path, string Type)
{
    private const string Extension = ".dll";

    /// <summary>The file's name without its folders, whichever system's separators these have.</summary>
    public string FileName => Path[(Path.LastIndexOfAny(['/', '\\']) + 1)..];

    /// <summary>Null where the name is not one of a plug-in. Drive letters have a colon too: what counts is the one behind ".dll".</summary>
    public static PluginName? Parse(string name)
    {
        if (name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase)) return new PluginName(name, "");
        var at = name.LastIndexOf(Extension + ":", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : new PluginName(name[..(at + Extension.Length)], name[(at + Extension.Length + 1)..].Trim());
    }

    /// <summary>The name with a path that means the same from everywhere; names of another kind stay as they are.</summary>
    /// <param name="name">Any environment's name.</param>
    /// <param name="folder">What a relative path begins at.</param>
    public static string From(string name, string folder) => Parse(name) is { Path: { Length: > 0 } path } plugin
        ? (plugin with { Path = System.IO.Path.GetFullPath(path, folder) }).ToString()
        : name;

    public override string ToString() => Type.Length == 0 ? Path : $"{Path}:{Type}";
}

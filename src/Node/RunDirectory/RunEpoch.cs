using System.Globalization;
using System.Text;

namespace Rl.Distributed.Node.RunDirectory;

/// <summary>The file that says how often a run over several nodes was begun.</summary>
internal static class RunEpoch
{
    /// <summary>Begins an epoch of the run that no other process has begun, even where it died before its first checkpoint.</summary>
    /// <param name="files">Where the file lives.</param>
    /// <param name="path">The file: the run's identity and the last epoch, in words.</param>
    /// <param name="newId">Names a run that has no file yet.</param>
    /// <returns>The run's identity, which stays, and the epoch, which is on the disk.</returns>
    public static (string RunId, int Epoch) Begin(IFileSystem files, string path, Func<string> newId)
    {
        var words = Read(files, path).Split(' ', StringSplitOptions.TrimEntries);
        var isKnown = words.Length == 2 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out _);
        var id = isKnown ? words[0] : newId();
        var epoch = isKnown ? int.Parse(words[1], CultureInfo.InvariantCulture) + 1 : 0;
        var text = string.Create(CultureInfo.InvariantCulture, $"{id} {epoch}\n");
        files.WriteDurably(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        return (id, epoch);
    }

    private static string Read(IFileSystem files, string path)
    {
        if (!files.List(Path.GetDirectoryName(path)!).Contains(Path.GetFileName(path))) return "";
        using var reader = new StreamReader(files.OpenRead(path));
        return reader.ReadToEnd();
    }
}

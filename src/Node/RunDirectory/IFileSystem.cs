namespace Rl.Distributed.Node.RunDirectory;

/// <summary>The few file operations that checkpoints need, each a step at which a machine may stop.</summary>
/// <remarks>What <see cref="Sync"/> and <see cref="SyncDirectory"/> did not reach may be lost or torn by a crash.</remarks>
public interface IFileSystem
{
    void CreateDirectory(string path);

    /// <summary>Names (without path) of the files in a directory; none where it does not exist.</summary>
    IReadOnlyList<string> List(string directory);

    Stream OpenRead(string path);

    /// <summary>Makes an empty file, or empties one.</summary>
    Stream Create(string path);

    /// <summary>Returns once everything written to a stream of <see cref="Create"/> is on the disk.</summary>
    void Sync(Stream file);

    /// <summary>Renames a file in one step; the target is replaced.</summary>
    void Rename(string from, string to);

    /// <summary>Returns once names made, renamed and deleted in the directory are on the disk.</summary>
    void SyncDirectory(string directory);

    void Delete(string path);
}

/// <summary>Operations made of others.</summary>
public static class FileSystemExtensions
{
    /// <summary>Ends the names of files that are being written.</summary>
    public const string AsideSuffix = ".tmp";

    /// <summary>Writes a file so that after a crash at any moment its path holds the old content or the new one, whole.</summary>
    public static void WriteDurably(this IFileSystem files, string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(write);
        var aside = path + AsideSuffix;
        using (var stream = files.Create(aside))
        {
            write(stream);
            files.Sync(stream);
        }
        files.Rename(aside, path);
        files.SyncDirectory(Path.GetDirectoryName(path)!);
    }
}

using System.Runtime.InteropServices;

namespace Rl.Distributed.Node.RunDirectory;

/// <summary>The machine's own file system.</summary>
public sealed partial class PhysicalFileSystem : IFileSystem
{
    public static readonly PhysicalFileSystem Instance = new();

    private const int ReadOnly = 0;

    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public IReadOnlyList<string> List(string directory) => Directory.Exists(directory)
        ? [.. Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path))]
        : [];

    public Stream OpenRead(string path) =>
        new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);

    public Stream Create(string path) => new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);

    public void Sync(Stream file) => ((FileStream)file).Flush(flushToDisk: true);

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    /// <summary>On Windows names are kept by the journal, and a directory cannot be flushed.</summary>
    public void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = OpenDescriptor(Path.GetFullPath(directory), ReadOnly);
        if (descriptor < 0) throw new IOException($"The directory {directory} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            // Some network file systems cannot sync a directory and say so with EINVAL (22): nothing more can be done there.
            if (SyncDescriptor(descriptor) != 0 && Marshal.GetLastPInvokeError() != 22)
            {
                throw new IOException($"The directory {directory} cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
        finally
        {
            _ = CloseDescriptor(descriptor);
        }
    }

    public void Delete(string path) => File.Delete(path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseDescriptor(int descriptor);
}

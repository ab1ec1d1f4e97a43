using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;

namespace Rl.Distributed.Gymnasium;

/// <summary>A folder that only this user can enter, in memory where the system has such a place.</summary>
/// <remarks>It is needed for the moment in which a Python process starts. What a process that was killed in that moment has left behind is
/// removed by a later one.</remarks>
internal static class PrivateFolder
{
    private const string Prefix = "rl-gym-";

    // A start takes seconds. In another container that shares the place a process may look dead although it lives.
    private static readonly TimeSpan LongerThanAnyStart = TimeSpan.FromMinutes(10);

    public static string Create()
    {
        var parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        RemoveLeftOver(parent, TimeProvider.System.GetUtcNow() - LongerThanAnyStart);
        var path = Path.Combine(parent, $"{Prefix}{Environment.ProcessId}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}");
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Removes the folders of processes that are no more.</summary>
    /// <param name="parent">Where they are.</param>
    /// <param name="before">Only those made before.</param>
    public static void RemoveLeftOver(string parent, DateTimeOffset before)
    {
        foreach (var path in Directory.EnumerateDirectories(parent, Prefix + "*"))
            if (int.TryParse(Path.GetFileName(path)[Prefix.Length..].Split('-')[0], out var process) && !IsAlive(process)
                && Directory.GetCreationTimeUtc(path) < before.UtcDateTime)
                Delete(path);
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    public static void Delete(string path)
    {
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is gone already, or nobody can remove it.
        }
    }
}

/// <summary>Memory that a file shares with another process. Its file may be deleted once both have opened it.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    /// <exception cref="IOException">There is no room.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be made.</exception>
    public SharedMemory(string path, int bytes)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        // Written and not only made long: a full disk must be an error here, not a signal at the first access.
        var zeros = new byte[Math.Min(bytes, 1 << 20)];
        for (var left = bytes; left > 0; left -= zeros.Length) file.Write(zeros, 0, Math.Min(left, zeros.Length));
        _file = MemoryMappedFile.CreateFromFile(file, null, bytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _file.CreateViewAccessor(0, bytes);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        }
        catch
        {
            _view?.Dispose();
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Items from an offset in bytes on, which must be a multiple of their size.</summary>
    public Span<T> Items<T>(int offset, int count)
        where T : unmanaged => new(_start + offset, count);

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}

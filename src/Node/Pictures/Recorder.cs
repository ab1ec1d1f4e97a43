using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.RunDirectory;

namespace Rl.Distributed.Node.Pictures;

/// <summary>Writes what is played to a file: an animation where its name ends in .gif, a picture a frame where it ends in .png.</summary>
/// <remarks>
/// play.png becomes play-0001.png, play-0002.png and so on. Files are written aside and renamed when they are whole; without
/// <see cref="Complete"/> no animation is left. Errors name the option, <c>--gif</c>.
/// </remarks>
internal sealed class Recorder : IDisposable
{
    private readonly string _path;
    private readonly int _maxFrames;
    private readonly double _framesPerSecond;
    private readonly bool _animated;
    private readonly CanvasPainter _painter = new();
    private FileStream? _aside;
    private GifWriter? _gif;
    private long _bytes;

    /// <summary>Makes sure that the file can be written.</summary>
    /// <exception cref="ConfigException">It cannot be; the message says why and what helps.</exception>
    public Recorder(string path, double framesPerSecond, int maxFrames)
    {
        (_path, _framesPerSecond, _maxFrames) = (path, framesPerSecond, maxFrames);
        var extension = Path.GetExtension(path);
        _animated = extension.Equals(".gif", StringComparison.OrdinalIgnoreCase);
        if (!_animated && !extension.Equals(".png", StringComparison.OrdinalIgnoreCase))
            throw Unusable("the name must end in .gif, for an animation, or in .png, for numbered pictures.");
        if (Directory.Exists(path)) throw Unusable("this is a directory; name a file in it.");
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(directory)) throw Unusable($"there is no directory {directory}; make it first.");
        try
        {
            _aside = File.Create(Target(1) + FileSystemExtensions.AsideSuffix);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"--gif {path}: the file cannot be written: {e.Message} Name one in a directory of yours.", e);
        }
    }

    public int Frames { get; private set; }

    public bool IsFull => Frames == _maxFrames;

    /// <summary>Records a picture.</summary>
    /// <exception cref="CommandFailedException">It cannot be written.</exception>
    public void Add(TextCanvas canvas, Caption caption) => Guard(() =>
    {
        var image = _painter.Paint(canvas, caption);
        if (_animated)
        {
            _gif ??= new GifWriter(_aside!, image.Width, image.Height);
            _gif.Add(image, Delay(Frames));
        }
        else
        {
            _aside ??= File.Create(Target(Frames + 1) + FileSystemExtensions.AsideSuffix);
            PngWriter.Write(image, _aside);
            Finish();
        }
        Frames++;
    });

    /// <summary>Ends the recording, of at least one picture.</summary>
    /// <returns>What was written, in a line.</returns>
    /// <exception cref="CommandFailedException">It cannot be written.</exception>
    public string Complete()
    {
        if (_animated)
        {
            Guard(() =>
            {
                _gif!.Complete();
                Finish();
            });
        }
        var files = _animated || Frames == 1 ? Target(Frames) : $"{Target(1)} to {Path.GetFileName(Target(Frames))}";
        return FormattableString.Invariant(
            $"wrote {files}: {Frames} frame{(Frames == 1 ? "" : "s")}, {Math.Max(1, (_bytes + 512) / 1024):N0} KiB");
    }

    /// <summary>Leaves nothing behind that was not completed.</summary>
    public void Dispose()
    {
        if (_aside is null) return;
        _aside.Dispose();
        File.Delete(_aside.Name);
    }

    /// <summary>In hundredths of a second, rounded so that the sum of all is right.</summary>
    private int Delay(int frame)
    {
        var hundredths = 100 / _framesPerSecond;
        var delay = Math.Round((frame + 1) * hundredths) - Math.Round(frame * hundredths);
        return (int)Math.Clamp(delay, GifWriter.MinDelay, ushort.MaxValue);
    }

    private string Target(int frame) => _animated
        ? _path
        : Path.ChangeExtension(_path, null) + FormattableString.Invariant($"-{frame:0000}") + Path.GetExtension(_path);

    private void Finish()
    {
        var file = _aside!;
        _bytes += file.Length;
        file.Dispose();
        File.Move(file.Name, file.Name[..^FileSystemExtensions.AsideSuffix.Length], overwrite: true);
        _aside = null;
    }

    private void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"--gif {_path}: the file cannot be written: {e.Message}", e);
        }
    }

    private ConfigException Unusable(string reason) => new($"--gif {_path}: {reason}");
}

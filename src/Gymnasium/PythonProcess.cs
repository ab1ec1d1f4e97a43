using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rl.Distributed.Gymnasium;

/// <summary>A Python process that runs the bridge's script, and the socket to it.</summary>
/// <remarks>
/// Every exchange has a deadline. After a <see cref="PythonException"/> from an exchange the process is of no use; an answer that says no
/// leaves it alive. Not thread-safe. Its end, orderly or not, takes the process with it, and what it left on disk.
/// </remarks>
internal sealed partial class PythonProcess : IDisposable
{
    private const int KillAll = 9, AskWhere = 10; // SIGUSR1: the script writes its traceback
    private const int MaxAnswer = 1 << 28;
    private const int TooManyFilesInAll = 23, TooManyFiles = 24;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20), EndTime = TimeSpan.FromSeconds(1);
    private static readonly string Script = ReadScript();

    private readonly PythonHost _host;
    private readonly string _folder;
    private readonly TimeSpan _timeout;
    private readonly Process _process;
    private readonly ErrorTail _errors;
    private readonly Socket _listener;
    private readonly byte[] _byte = new byte[1];
    private Socket? _socket;
    private bool _disposed;

    /// <summary>Starts it; <see cref="Connect"/> waits for it.</summary>
    /// <exception cref="PythonException">It cannot be started.</exception>
    public PythonProcess(PythonHost host, TimeSpan timeout)
    {
        if (OperatingSystem.IsWindows())
            throw new PythonException("Python has no Unix sockets on Windows.", "Run this in the Windows Subsystem for Linux.", "");
        (_host, _timeout) = (host, timeout);
        try
        {
            _folder = PrivateFolder.Create();
            var path = Path.Combine(_folder, "socket");
            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen(1);
            _process = Start(path);
            _errors = new ErrorTail(_process.StandardError.BaseStream);
        }
        catch (Exception e)
        {
            _listener?.Dispose();
            if (_process is not null) EndProcess();
            if (_folder is not null) PrivateFolder.Delete(_folder);
            if (PythonException.IsOfTheSystem(e)) throw PythonException.NoRoom("the socket to its Python process", e);
            throw;
        }
    }

    public int Id => _process.Id;

    /// <summary>Waits until the script runs.</summary>
    /// <exception cref="PythonException">It does not.</exception>
    public void Connect()
    {
        var waited = Stopwatch.StartNew();
        while (!_listener.Poll(PollInterval, SelectMode.SelectRead))
        {
            if (_process.HasExited) throw Ended(null);
            if (waited.Elapsed > _timeout) throw Hung();
        }
        try
        {
            _socket = _listener.Accept();
        }
        catch (SocketException e)
        {
            throw PythonException.NoRoom("the socket to its Python process", e);
        }
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)Math.Min(_timeout.TotalMilliseconds, int.MaxValue);
        _listener.Dispose();
        // From here on nothing of it is on disk, whatever happens to either side.
        PrivateFolder.Delete(_folder);
    }

    /// <exception cref="PythonException">The process has ended, or hangs.</exception>
    public void SendStep(int slot)
    {
        _byte[0] = (byte)slot;
        Send(_byte);
    }

    /// <summary>Waits for the end of a step; null where every copy made it.</summary>
    /// <exception cref="PythonException">The process has ended, or hangs.</exception>
    public JsonArray? ReceiveStep()
    {
        Receive(_byte);
        return _byte[0] == 0 ? null : ReceiveObject()["failed"]!.AsArray();
    }

    /// <exception cref="PythonException">The process has ended, or hangs.</exception>
    public void SendRequest(JsonObject request)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(request);
        var frame = new byte[5 + text.Length];
        frame[0] = 2;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(1), text.Length);
        text.CopyTo(frame, 5);
        Send(frame);
    }

    /// <exception cref="PythonException">The process says no, has ended, or hangs.</exception>
    public JsonObject ReceiveAnswer()
    {
        Receive(_byte);
        var answer = ReceiveObject();
        if (answer["error"] is not JsonObject error) return answer;
        throw PythonException.Refused(
            error["kind"]!.GetValue<string>(), error["message"]!.GetValue<string>(), Details(error["traceback"]!.GetValue<string>()),
            _host.Executable);
    }

    /// <summary>Asks and waits for the answer.</summary>
    /// <exception cref="PythonException">The process says no, has ended, or hangs.</exception>
    public JsonObject Ask(JsonObject request)
    {
        SendRequest(request);
        return ReceiveAnswer();
    }

    /// <summary>Ends the process without asking it.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException or NotSupportedException)
        {
            // It has ended by itself.
        }
        _process.WaitForExit(EndTime);
    }

    /// <summary>Tells the process that it is over, without waiting.</summary>
    public void Hangup()
    {
        _listener.Dispose();
        _socket?.Dispose();
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Hangup();
        EndProcess();
        PrivateFolder.Delete(_folder);
    }

    // What it started, and has left behind, is of its group.
    private void EndProcess()
    {
        if (!_process.WaitForExit(EndTime)) Kill();
        SendSignal(-_process.Id, KillAll);
        _process.Dispose();
    }

    private Process Start(string socket)
    {
        var info = new ProcessStartInfo(_host.Executable, ["-", socket])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // A process is one thread of work: as many again for each matrix product would be in each other's way.
        foreach (var threads in (ReadOnlySpan<string>)["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
            info.Environment.TryAdd(threads, "1");
        foreach (var (name, value) in _host.Variables) info.Environment[name] = value;
        Process process;
        try
        {
            process = PythonLauncher.Start(info);
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            throw new PythonException(
                $"the Python '{_host.Executable}' cannot be started: {e.Message}.",
                e is Win32Exception { NativeErrorCode: TooManyFiles or TooManyFilesInAll } ? "Raise the limit of open files (ulimit -n)." :
                $"Install Python 3.8 or later with numpy and gymnasium, or name one in the environment variable {PythonHost.Variable}.", "", e);
        }
        try
        {
            using var input = process.StandardInput;
            input.Write(Script);
        }
        catch (IOException)
        {
            // It ended before it had read all; Connect says so.
        }
        return process;
    }

    private void Send(ReadOnlySpan<byte> data)
    {
        try
        {
            for (var sent = 0; sent < data.Length;) sent += _socket!.Send(data[sent..], SocketFlags.None);
        }
        catch (SocketException e)
        {
            throw Broken(e);
        }
    }

    private void Receive(Span<byte> data)
    {
        try
        {
            for (var received = 0; received < data.Length;)
                if (_socket!.Receive(data[received..], SocketFlags.None) is var count and > 0) received += count;
                else throw Ended(null);
        }
        catch (SocketException e)
        {
            throw Broken(e);
        }
    }

    private JsonObject ReceiveObject()
    {
        Span<byte> length = stackalloc byte[4];
        Receive(length);
        var count = BinaryPrimitives.ReadInt32LittleEndian(length);
        try
        {
            if (count is < 0 or > MaxAnswer) throw new JsonException($"It would have {count} bytes.");
            var text = new byte[count];
            Receive(text);
            return JsonNode.Parse(text)!.AsObject();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            Kill();
            throw new PythonException($"its Python process gave an answer that is none: {e.Message}", "", Details(""), e);
        }
    }

    private PythonException Broken(SocketException e) =>
        e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock or SocketError.TryAgain ? Hung() : Ended(e);

    // The signal makes the script say where it hangs, unless it hangs in a library that Python waits for.
    private PythonException Hung()
    {
        if (_process is { HasExited: false } && SendSignal(_process.Id, AskWhere) == 0) _errors.AwaitEnd(TimeSpan.FromMilliseconds(300));
        Kill();
        return new PythonException(
            $"its Python process gave no answer within {_timeout.TotalSeconds:0.###} s and was ended.",
            "Where it only needs more time, raise environment.timeoutSeconds.", Details(""));
    }

    private PythonException Ended(Exception? inner)
    {
        if (!_process.WaitForExit(EndTime)) Kill();
        _errors.AwaitEnd(EndTime);
        var code = _process.HasExited ? _process.ExitCode : 0;
        var how = code > 128 ? $"was killed by signal {code - 128}" : $"ended with exit code {code}";
        var cure = code == 128 + 9 ? "Perhaps the machine has too little memory." : "";
        return new PythonException($"its Python process {how}.", cure, Details(""), inner);
    }

    private string Details(string traceback)
    {
        var errors = _errors.ToString();
        if (errors.Length > 0) errors = $"Its standard error ends with:\n{errors}";
        return $"{traceback.Trim()}\n{errors}".Trim();
    }

    private static string ReadScript()
    {
        using var stream = typeof(PythonProcess).Assembly.GetManifestResourceStream("rl_gymnasium.py")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}

using System.Text;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Output;

/// <summary>Draws text canvases: in colour and in place on a terminal, one below the other elsewhere.</summary>
internal sealed class TerminalScreen : IDisposable
{
    private const string Escape = "\e[";

    private readonly TextWriter _output;
    private readonly bool _isTerminal;
    private readonly List<string> _notes = [];

    public TerminalScreen(TextWriter output, bool isTerminal)
    {
        (_output, _isTerminal) = (output, isTerminal);
        if (isTerminal) output.Write($"{Escape}?25l{Escape}2J");
    }

    public void Show(TextCanvas canvas, string caption)
    {
        var text = new StringBuilder();
        if (_isTerminal) text.Append($"{Escape}H");
        text.Append(caption);
        EndLine(text);
        for (var y = 0; y < canvas.Height; y++)
        {
            AppendRow(text, canvas, y);
            EndLine(text);
        }
        EndLine(text);
        if (_isTerminal) text.Append($"{Escape}J");
        _output.Write(text);
        _output.Flush();
    }

    /// <summary>Says something that stays: on a terminal after the last picture.</summary>
    public void Note(string line)
    {
        if (_isTerminal) _notes.Add(line);
        else _output.WriteLine(line);
    }

    public void Dispose()
    {
        if (_isTerminal) _output.Write($"{Escape}0m{Escape}?25h");
        foreach (var note in _notes) _output.WriteLine(note);
        _output.Flush();
    }

    private void EndLine(StringBuilder text) => text.Append(_isTerminal ? $"{Escape}K\n" : "\n");

    private void AppendRow(StringBuilder text, TextCanvas canvas, int y)
    {
        var row = new StringBuilder();
        byte color = 0, background = 0;
        for (var x = 0; x < canvas.Width; x++)
        {
            if (_isTerminal)
            {
                Change(row, ref color, canvas.ColorAt(x, y), 38);
                Change(row, ref background, canvas.BackgroundAt(x, y), 48);
            }
            row.Append(canvas.CharacterAt(x, y));
        }
        Change(row, ref color, 0, 38);
        Change(row, ref background, 0, 48);
        text.Append(_isTerminal ? row.ToString() : row.ToString().TrimEnd());
    }

    /// <param name="code">38 sets the colour of characters, 48 the one behind; the next code sets the terminal's own.</param>
    private static void Change(StringBuilder row, ref byte now, byte next, int code)
    {
        if (now == next) return;
        now = next;
        row.Append(next == 0 ? $"{Escape}{code + 1}m" : $"{Escape}{code};5;{next}m");
    }
}

using System.Text;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Output;

/// <summary>Draws text canvases: in colour and in place on a terminal, one below the other elsewhere.</summary>
/// <remarks>A picture that is wider than the terminal is cut off at its right edge, where a mark says so.</remarks>
internal sealed class TerminalScreen : IDisposable
{
    private const string Escape = "\e[";
    private const char CutOff = '»';

    private readonly TextWriter _output;
    private readonly bool _isTerminal;
    private readonly Func<int> _columns;
    private readonly List<string> _notes = [];

    /// <param name="output">Where to draw.</param>
    /// <param name="isTerminal">Whether it is a terminal.</param>
    /// <param name="columns">How wide that is now.</param>
    public TerminalScreen(TextWriter output, bool isTerminal, Func<int> columns)
    {
        (_output, _isTerminal, _columns) = (output, isTerminal, columns);
        if (isTerminal) output.Write($"{Escape}?25l{Escape}2J");
    }

    public void Show(TextCanvas canvas, string caption)
    {
        var text = new StringBuilder();
        var columns = _isTerminal ? Math.Max(1, _columns()) : int.MaxValue;
        if (_isTerminal) text.Append($"{Escape}H");
        text.Append(caption.Length > columns ? $"{caption.AsSpan(0, columns - 1)}{CutOff}" : caption);
        EndLine(text);
        for (var y = 0; y < canvas.Height; y++)
        {
            AppendRow(text, canvas, y, columns);
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

    private void AppendRow(StringBuilder text, TextCanvas canvas, int y, int columns)
    {
        var row = new StringBuilder();
        byte color = 0, background = 0;
        var width = canvas.Width > columns ? columns - 1 : canvas.Width;
        for (var x = 0; x < width; x++)
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
        if (width < canvas.Width) row.Append(CutOff);
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

using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Traces;

namespace Rl.Distributed.Core.Tests.Environments;

public class TraceTests
{
    private const string Breakout = TraceSamples.Breakout, CartPole = TraceSamples.CartPole;

    [Fact]
    public void Every_trace_of_a_game_that_is_here_replays_without_a_difference()
    {
        var games = EnvironmentRegistry.Default.Entries.Where(entry => entry.Trace is not null).ToDictionary(entry => entry.Trace!.Game, entry => entry.Name);
        var replayed = 0;
        foreach (var file in Traces())
        {
            using var stream = File.OpenRead(file);
            var report = TraceChecker.Check(stream);
            if (games.ContainsKey(GameOf(file)))
            {
                Assert.True(report.Passed, $"{file}: {report}");
                Assert.Equal(Lines(file).Count(line => line.Contains("\"a\":", StringComparison.Ordinal)), report.Steps);
                replayed++;
            }
            else
            {
                Assert.False(report.Passed);
                Assert.Contains("no environment here replays", report.Message, StringComparison.Ordinal);
            }
        }
        Assert.True(replayed > 0, $"No trace of a known game under {OracleFiles.Root}.");
    }

    [Fact]
    public void A_game_that_is_not_here_is_named_beside_those_that_are()
    {
        var report = Check("""{"format":"minatar-trace-1","game":"pong","ramping":true,"sticky":0,"channels":4}""");
        Assert.False(report.Passed);
        Assert.Contains("'pong'", report.Message, StringComparison.Ordinal);
        Assert.Contains("breakout", report.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_of_another_environment_than_the_named_one_is_refused()
    {
        Assert.True(TraceChecker.Check(new StringReader(Breakout), "minatar-breakout").Passed);
        Assert.Contains("not of 'cartpole'", TraceChecker.Check(new StringReader(Breakout), "cartpole").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_bit_is_reported_with_its_line_and_both_boards()
    {
        var lines = Breakout.Split('\n');
        lines[7] = lines[7].Replace("800000\"", "800008\"", StringComparison.Ordinal);
        var report = Check(string.Join('\n', lines));
        Assert.False(report.Passed);
        Assert.Equal(8, report.Line);
        Assert.Equal("s at row 9, column 9, channel 0 (paddle)", report.Field);
        Assert.Contains("##########    ##########", report.Message, StringComparison.Ordinal);
        Assert.Contains("----=----=    ----=-----", report.Message, StringComparison.Ordinal);
        Assert.Equal(5, report.Steps);
        Assert.Equal(("1", "0"), (report.Expected, report.Got));
    }

    [Theory]
    [InlineData("\"r\":0", "\"r\":1", "r: expected 1, got 0")]
    [InlineData("\"done\":0", "\"done\":1", "done: expected 1, got 0")]
    [InlineData("\"done\":0", "\"done\":2", "\"done\" must be 0 or 1")]
    [InlineData("\"a\":", "\"b\":", "the field \"a\" is missing")]
    [InlineData("\"a\":", "\"a\":6", "must be one of the six actions")]
    [InlineData("[[\"double\",null,", "[[\"double\",7,", "a game that wants a double")]
    [InlineData("[[\"double\",null,", "[[\"int\",7,", "a game that wants a double")]
    [InlineData("[[\"double\",null,", "[[\"double\",null,1.5],[\"double\",null,", "draw 1 must be in [0, 1)")]
    [InlineData("[[\"double\",null,", "[[\"double\",null,0.5],[\"double\",null,", "left over is")]
    [InlineData("\"draws\":[", "\"draws\":[],\"x\":[", "the game wants a double next")]
    [InlineData("\"draws\":[", "\"draws\":0,\"x\":[", "\"draws\" must be a list")]
    [InlineData("\"draws\":[[", "\"draws\":[3],\"x\":[[", "must be [kind, n, value]")]
    [InlineData("\"s\":\"", "\"s\":\"z", "hexadecimal digits")]
    [InlineData("}", "", "not a line of JSON")]
    [InlineData("{", "[{", "not a line of JSON")]
    public void A_changed_MinAtar_step_is_reported_with_its_line(string old, string changed, string message) => AssertReported(Breakout, old, changed, message);

    [Theory]
    [InlineData("\"state\":[", "\"state\":[1", "state[0]: expected")]
    [InlineData("\"state\":[", "\"state\":[0,", "must be 4 numbers")]
    [InlineData("\"obs\":[", "\"obs\":[9", "obs[0]: expected")]
    [InlineData("\"r\":1.0", "\"r\":1.1", "r: expected 1.1, got 1")]
    [InlineData("\"term\":0", "\"term\":1", "term: expected 1, got 0")]
    [InlineData("\"trunc\":0", "\"trunc\":1", "trunc: expected 1, got 0")]
    [InlineData("\"a\":", "\"a\":7", "0 to 1")]
    [InlineData("\"a\":", "\"a\":\"left\",\"x\":", "\"a\" must be a whole number")]
    public void A_changed_classic_step_is_reported_with_its_line(string old, string changed, string message) => AssertReported(CartPole, old, changed, message);

    [Theory]
    [InlineData("", "empty")]
    [InlineData("hello", "line 1: not a line of JSON")]
    [InlineData("3", "expected a JSON object")]
    [InlineData("{}", "\"format\" is missing")]
    [InlineData("""{"format":"atari-trace-9"}""", "known are: classic-trace-1, minatar-trace-1")]
    [InlineData("""{"format":7}""", "\"format\" must be a text")]
    [InlineData("""{"format":"classic-trace-1"}""", "\"env\" is missing")]
    [InlineData("""{"format":"classic-trace-1","env":"CartPole-v1"}""", "no steps")]
    [InlineData("""{"format":"classic-trace-1","env":"CartPole-v1","max_episode_steps":0}""", "at least 1")]
    [InlineData("""{"format":"minatar-trace-1","game":"breakout","ramping":true,"sticky":1.5,"channels":4}""", "a probability")]
    [InlineData("""{"format":"minatar-trace-1","game":"breakout","ramping":true,"sticky":0,"channels":6}""", "4 channels")]
    [InlineData("""{"format":"minatar-trace-1","game":"breakout","ramping":true,"sticky":0,"channels":4}""", "a reset must follow")]
    public void A_malformed_trace_gives_a_clear_error(string trace, string message)
    {
        var report = Check(trace);
        Assert.False(report.Passed);
        Assert.Contains(message, report.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_that_was_cut_short_is_noticed()
    {
        using var whole = new MemoryStream();
        using (var zip = new GZipStream(whole, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(Encoding.UTF8.GetBytes(Breakout));
        whole.Position = 0;
        Assert.True(TraceChecker.Check(whole).Passed);

        var half = whole.ToArray()[..(int)(whole.Length / 2)];
        Assert.False(TraceChecker.Check(new MemoryStream(half)).Passed);
        Assert.Contains("cut short", Check(Breakout[..Breakout.LastIndexOf('\n')]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_length_limit_of_the_header_counts()
    {
        var limited = CartPole.Replace("\"max_episode_steps\":500", "\"max_episode_steps\":3", StringComparison.Ordinal);
        var report = Check(limited);
        Assert.Equal(("trunc", 5), (report.Field, report.Line));
    }

    [Fact]
    public void A_MinAtar_game_that_is_over_draws_on_but_stands_still()
    {
        var lines = Breakout.Split('\n').ToList();
        var end = lines.FindIndex(line => line.Contains("\"done\":1", StringComparison.Ordinal));
        var state = JsonDocument.Parse(lines[end]).RootElement.GetProperty("s").GetString();
        var after = $$"""{"a":3,"draws":[["double",null,0.5]],"r":0,"done":1,"s":"{{state}}"}""";
        List<string> trace = [lines[0].Replace("\"steps\"", "\"unused\"", StringComparison.Ordinal), .. lines[1..(end + 1)], after, after];
        var report = Check(string.Join('\n', trace));
        Assert.True(report.Passed, report.Message);
    }

    private static void AssertReported(string trace, string old, string changed, string message)
    {
        var lines = trace.Split('\n');
        var place = lines[6].IndexOf(old, StringComparison.Ordinal);
        Assert.True(place >= 0, lines[6]);
        lines[6] = lines[6][..place] + changed + lines[6][(place + old.Length)..];
        var report = Check(string.Join('\n', lines));
        Assert.False(report.Passed);
        Assert.Contains(message, report.Message, StringComparison.Ordinal);
        Assert.StartsWith("line 7: ", report.Message, StringComparison.Ordinal);
    }

    private static TraceReport Check(string trace) => TraceChecker.Check(new StringReader(trace));

    private static IEnumerable<string> Traces() =>
        Directory.EnumerateFiles(OracleFiles.Root, "*.jsonl.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    private static string GameOf(string file)
    {
        var header = JsonDocument.Parse(Lines(file).First()).RootElement;
        return (header.TryGetProperty("game", out var game) ? game : header.GetProperty("env")).GetString()!;
    }

    private static IEnumerable<string> Lines(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line) yield return line;
    }
}

using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Tests;

public sealed class RunFolderTests : IDisposable
{
    private static readonly TrainingConfig Config = ConfigLoader.Load("impala-catch", []);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_directory_that_is_not_empty_is_refused()
    {
        File.WriteAllText(_directory.File("other.txt"), "");
        Assert.Contains("is not empty", Assert.Throws<ConfigException>(() => Create(_directory.Path)).Message);
        Assert.Equal(["other.txt", ".lock"], Directory.GetFiles(_directory.Path).Select(path => Path.GetFileName(path)).OrderDescending());
    }

    [Fact]
    public void A_directory_in_use_is_refused_until_it_is_free()
    {
        var path = _directory.File("run");
        using (var folder = Create(path))
        {
            folder.WriteConfig(Config);
            Assert.Contains("is in use", Assert.Throws<ConfigException>(() => RunFolder.Open(path)).Message);
            Assert.Contains("is in use", Assert.Throws<ConfigException>(() => Create(path)).Message);
        }
        RunFolder.Open(path).Dispose();
    }

    [Fact]
    public void Remains_of_a_run_that_never_began_are_no_hindrance()
    {
        foreach (var name in (string[])[".lock", "epoch.txt", "log.txt", "metrics.csv", "config.yaml.tmp"]) File.WriteAllText(_directory.File(name), "");
        Create(_directory.Path).Dispose();
        File.WriteAllText(_directory.File("mine.txt"), "");
        Assert.Throws<ConfigException>(() => Create(_directory.Path));
    }

    [Fact]
    public void The_configuration_can_be_read_back_with_overrides()
    {
        var path = _directory.File("run");
        using (var folder = Create(path)) folder.WriteConfig(Config);
        var read = RunFolder.ReadConfig(path, [ConfigOverride.Parse("frames=7")]);
        Assert.Equal(Config with { Frames = 7 }, read);
    }

    [Fact]
    public void A_directory_without_a_run_is_told_as_such() =>
        Assert.Contains("is no run directory", Assert.Throws<ConfigException>(() => RunFolder.Open(_directory.Path)).Message);

    [Fact]
    public void A_path_that_is_a_file_is_refused()
    {
        var path = _directory.File("file");
        File.WriteAllText(path, "");
        Assert.Contains("cannot be used", Assert.Throws<ConfigException>(() => Create(path)).Message);
    }

    [Fact]
    public void Metrics_have_a_header_and_a_row_a_report_and_a_resumed_run_appends()
    {
        var path = _directory.File("metrics.csv");
        var progress = new TrainingProgress
        {
            Frames = 640, MeanReturn100 = double.NaN, LearningRate = 6e-4, UnrollsConsumed = 5, UnrollsRolledBack = 2,
        };
        using (var metrics = new MetricsCsv(path)) metrics.Write(progress);
        File.AppendAllText(path, "1280,0.2");
        Assert.Equal(7, MetricsCsv.LastUnrollsConsumed(path));
        using (var metrics = new MetricsCsv(path)) metrics.Write(new TrainingProgress { Frames = 1280, MeanReturn100 = 21.5, Evaluation = new GreedyReturn(1000, 30.5, 2, 10) });

        var lines = File.ReadAllLines(path);
        Assert.Equal(4, lines.Length);
        Assert.Equal(MetricsCsv.Header, lines[0]);
        var columns = lines[0].Split(',').ToList();
        Assert.Equal("640", lines[1].Split(',')[columns.IndexOf("frames")]);
        Assert.Equal("", lines[1].Split(',')[columns.IndexOf("mean_return_100")]);
        Assert.Equal("0.0006", lines[1].Split(',')[columns.IndexOf("learning_rate")]);
        Assert.Equal("1280,0.2", lines[2]);
        Assert.Equal("21.5", lines[3].Split(',')[columns.IndexOf("mean_return_100")]);
        Assert.Equal(["", "30.5"], [lines[1].Split(',')[columns.IndexOf("eval_return")], lines[3].Split(',')[columns.IndexOf("eval_return")]]);
        Assert.Equal(["", "1000"], [lines[1].Split(',')[columns.IndexOf("eval_frames")], lines[3].Split(',')[columns.IndexOf("eval_frames")]]);
        Assert.Equal(columns.Count, lines[3].Split(',').Length);
    }

    [Fact]
    public void Metrics_of_an_older_version_are_read_by_their_own_header_and_set_aside()
    {
        var path = _directory.File("metrics.csv");
        // Without the columns of today, in another order; the last row was appended by a later version, and what follows it was cut short.
        File.WriteAllText(path, "frames,unrolls_consumed,unrolls_rolled_back\n640,5,1\n1280,9,2,0.5,0.5\n1920");
        Assert.Equal(11, MetricsCsv.LastUnrollsConsumed(path));
        new MetricsCsv(path).Dispose();
        Assert.Equal([MetricsCsv.Header], File.ReadAllLines(path));
        Assert.Equal("1920", File.ReadAllLines(_directory.File("metrics-1.csv"))[^1]);
        // A crash before the first row of the new one.
        Assert.Equal(11, MetricsCsv.LastUnrollsConsumed(path));
        using (var metrics = new MetricsCsv(path)) metrics.Write(new TrainingProgress { Frames = 1920, UnrollsConsumed = 12, UnrollsRolledBack = 2 });
        Assert.Equal(14, MetricsCsv.LastUnrollsConsumed(path));
        Assert.False(File.Exists(_directory.File("metrics-2.csv")));

        File.WriteAllText(path, "frames,unrolls_consumed\n2560,20\n");
        Assert.Equal(20, MetricsCsv.LastUnrollsConsumed(path));
        new MetricsCsv(path).Dispose();
        Assert.Equal(20, MetricsCsv.LastUnrollsConsumed(path));
        Assert.True(File.Exists(_directory.File("metrics-2.csv")));
    }

    private static RunFolder Create(string path) => RunFolder.Create(path, Config, TimeProvider.System);
}

using System.Diagnostics;
using System.Text.Json;
using Rl.Distributed.Node.Http;

namespace Rl.Distributed.Node.Tests.Http;

public sealed class NodeMetricsTests
{
    private const string Odd = "a\\b\"c\nd,e}=ü";

    /// <summary>Every kind of sample, so that all of the format is written.</summary>
    private static NodeMetrics Metrics()
    {
        var metrics = Samples.Pages().Metrics;
        metrics.Gauge("rl_odd", "Help with \\ and\na new line.", ("label", Odd), ("other", "")).Set(-1.5e-7);
        metrics.Gauge("rl_big", "Infinities.", ("sign", "+")).Set(double.PositiveInfinity);
        metrics.Gauge("rl_big", "Infinities.", ("sign", "-")).Set(double.NegativeInfinity);
        metrics.Counter("rl_moved_total", "Set by code.").Add(3);
        return metrics;
    }

    [Fact]
    public void A_scrape_keeps_the_format_and_tells_of_run_cluster_links_and_process()
    {
        var samples = PrometheusText.Parse(Metrics().ToText());
        var expected = new Dictionary<string, double>
        {
            ["rl_frames_total"] = 12_000,
            ["rl_frames_per_second"] = 3210.4,
            ["rl_mean_return_100"] = double.NaN,
            ["rl_policy_lag"] = 1.25,
            ["rl_updates_total"] = 60,
            ["rl_members{status=Up}"] = 2,
            ["rl_members{status=Leaving}"] = 1,
            ["rl_members_unreachable"] = 1,
            [$"rl_workers{{node={Samples.Near}}}"] = 4,
            ["rl_unrolls_total{outcome=sent}"] = 70,
            ["rl_unrolls_total{outcome=consumed}"] = 60,
            ["rl_unrolls_total{outcome=lost}"] = 5,
            ["rl_unrolls_total{outcome=rejected}"] = 1,
            ["rl_unrolls_total{outcome=rolled_back}"] = 2,
            [$"rl_bytes_total{{direction=sent,kind=weights,link={Samples.Near}}}"] = 1 << 20,
            [$"rl_bytes_total{{direction=received,kind=experience,link={Samples.Near}}}"] = 1L << 40,
            ["rl_checkpoint_frames"] = 10_000,
            ["rl_checkpoint_timestamp_seconds"] = 1.5,
            [$"rl_odd{{label={Odd},other=}}"] = -1.5e-7,
            ["rl_big{sign=+}"] = double.PositiveInfinity,
            ["rl_big{sign=-}"] = double.NegativeInfinity,
            ["rl_moved_total"] = 3,
            ["rl_scrape_failures_total"] = 0,
        };
        foreach (var (key, value) in expected) Assert.Equal((key, value), (key, samples[key]));
        Assert.True(samples["rl_process_resident_bytes"] > 1e6);
        Assert.True(samples["rl_process_cpu_seconds_total"] > 0);
        Assert.Contains("rl_gc_collections_total{generation=2}", samples.Keys);
    }

    [Fact]
    public void A_run_with_evaluations_tells_the_newest_and_its_frames()
    {
        Assert.DoesNotContain("rl_greedy_return", PrometheusText.Parse(Metrics().ToText()).Keys);
        var status = Samples.Status with { Run = Samples.Status.Run! with { GreedyReturn = 12.5, GreedyFrames = 11_000 } };
        var samples = PrometheusText.Parse(Samples.Pages(status).Metrics.ToText());
        Assert.Equal((12.5, 11_000), (samples["rl_greedy_return"], samples["rl_greedy_frames"]));
    }

    [Fact]
    public void A_node_that_acts_for_another_tells_of_its_own_workers()
    {
        var status = Samples.Seen(Samples.Near, 2) with { Work = new WorkStatus(4, 30, 20, 3, 1) };
        var samples = PrometheusText.Parse(Samples.Pages(status).Metrics.ToText());
        Assert.Equal(4, samples[$"rl_workers{{node={Samples.Near}}}"]);
        Assert.Equal(30, samples["rl_unrolls_total{outcome=sent}"]);
        Assert.Equal(20, samples["rl_unrolls_total{outcome=consumed}"]);
        Assert.Equal(3, samples["rl_unrolls_total{outcome=lost}"]);
        Assert.Equal(1, samples["rl_unrolls_total{outcome=rejected}"]);
        Assert.DoesNotContain("rl_frames_total", samples.Keys);
    }

    [Fact]
    public void Another_parser_reads_the_same_numbers()
    {
        const string Program = """
            import json, sys
            from prometheus_client.parser import text_string_to_metric_families
            samples = [[s.name, sorted(s.labels.items()), repr(s.value)] for f in text_string_to_metric_families(sys.stdin.read()) for s in f.samples]
            print(json.dumps(samples))
            """;
        var text = Metrics().ToText();
        var (exitCode, output, error) = Python(Program, text);
        Assert.SkipWhen(error.Contains("No module named 'prometheus_client'", StringComparison.Ordinal), "python3-prometheus-client is not installed.");
        Assert.SkipWhen(exitCode == -1, "python3 is not installed.");
        Assert.True(exitCode == 0, error);
        var read = JsonSerializer.Deserialize<JsonElement[][]>(output)!.ToDictionary(
            sample => sample[0].GetString() + (sample[1].GetArrayLength() == 0
                ? ""
                : $"{{{string.Join(',', sample[1].EnumerateArray().Select(label => $"{label[0].GetString()}={label[1].GetString()}"))}}}"),
            sample => sample[2].GetString() switch
            {
                "nan" => double.NaN,
                "inf" => double.PositiveInfinity,
                "-inf" => double.NegativeInfinity,
                var number => double.Parse(number!, System.Globalization.CultureInfo.InvariantCulture),
            });
        Assert.Equal(PrometheusText.Parse(text).OrderBy(pair => pair.Key), read.OrderBy(pair => pair.Key));
    }

    [Fact]
    public void No_step_of_a_counter_is_lost_between_threads()
    {
        const int Steps = 500_000;
        var cell = new NodeMetrics().Counter("rl_steps_total", "Steps.");
        using var start = new Barrier(3);
        var threads = Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            start.SignalAndWait();
            for (var i = 0; i < Steps; i++) cell.Add();
        })).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal(3 * Steps, cell.Value);
    }

    [Fact]
    public void A_collector_that_fails_costs_only_its_own_numbers()
    {
        var metrics = new NodeMetrics();
        metrics.Collect(page =>
        {
            page.Gauge("rl_before", "Before.", 1);
            throw new InvalidOperationException();
        });
        metrics.Gauge("rl_after", "After.").Set(2);
        var samples = PrometheusText.Parse(metrics.ToText());
        Assert.Equal((1, 2, 1), (samples["rl_before"], samples["rl_after"], samples["rl_scrape_failures_total"]));
    }

    [Fact]
    public void Families_of_several_collectors_come_together_and_a_later_sample_replaces_an_earlier_one()
    {
        var metrics = new NodeMetrics();
        metrics.Gauge("rl_x", "X.", ("n", "1")).Set(1);
        metrics.Gauge("rl_y", "Y.").Set(2);
        metrics.Gauge("rl_x", "X.", ("n", "2")).Set(3);
        metrics.Gauge("rl_x", "X.", ("n", "1")).Set(4);
        var samples = PrometheusText.Parse(metrics.ToText());
        Assert.Equal((4, 3, 2), (samples["rl_x{n=1}"], samples["rl_x{n=2}"], samples["rl_y"]));
    }

    [Theory]
    [InlineData("frames_total", "n")]
    [InlineData("rl_frames", "n")]
    [InlineData("rl_fra-mes_total", "n")]
    [InlineData("rl_frames_total", "1n")]
    [InlineData("rl_frames_total", "__n")]
    [InlineData("rl_frames_total", "")]
    public void Names_that_break_the_rules_are_refused(string name, string label) =>
        Assert.Throws<ArgumentException>(() => new MetricsPage().Counter(name, "Help.", 1, (label, "")));

    [Fact]
    public void A_name_is_one_kind_of_metric_only()
    {
        var page = new MetricsPage();
        page.Gauge("rl_x", "X.", 1);
        Assert.Throws<ArgumentException>(() => page.Gauge("rl_x", "Another X.", 1, ("n", "1")));
        Assert.Throws<ArgumentException>(() => page.Gauge("rl_x_total", "A gauge.", 1));
    }

    private static (int ExitCode, string Output, string Error) Python(string program, string input)
    {
        // Debian's packages are Debian's Python's, whatever other one comes first on the path.
        const string Debian = "/usr/bin/python3";
        var start = new ProcessStartInfo(File.Exists(Debian) ? Debian : "python3")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(program);
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEnd();
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (-1, "", "");
        }
    }
}

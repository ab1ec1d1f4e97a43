namespace Rl.Distributed.Node.Http;

/// <summary>A node's metrics: numbers that code sets, and collectors that are asked at each scrape. Any thread may use it.</summary>
internal sealed class NodeMetrics
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _lock = new();
    private readonly List<Action<MetricsPage>> _collectors = [];
    private long _failures;

    /// <summary>Adds what fills in its samples at each scrape, on the scraping thread; it must not wait for anything.</summary>
    public void Collect(Action<MetricsPage> collector)
    {
        lock (_lock) _collectors.Add(collector);
    }

    /// <summary>Adds a counter that code moves; the name ends in <c>_total</c>.</summary>
    public MetricCell Counter(string name, string help, params (string Name, string Value)[] labels)
    {
        MetricsPage.CheckFamily(name, "counter");
        var cell = new MetricCell();
        Collect(page => page.Counter(name, help, cell.Value, labels));
        return cell;
    }

    /// <summary>Adds a gauge that code sets.</summary>
    public MetricCell Gauge(string name, string help, params (string Name, string Value)[] labels)
    {
        MetricsPage.CheckFamily(name, "gauge");
        var cell = new MetricCell();
        Collect(page => page.Gauge(name, help, cell.Value, labels));
        return cell;
    }

    /// <summary>A scrape. A collector that fails costs what it had yet to give, and is counted.</summary>
    public string ToText()
    {
        Action<MetricsPage>[] collectors;
        lock (_lock) collectors = [.. _collectors];
        var page = new MetricsPage();
        foreach (var collector in collectors)
        {
            try
            {
                collector(page);
            }
            catch (Exception)
            {
                // The other numbers matter most when something is wrong.
                Interlocked.Increment(ref _failures);
            }
        }
        page.Counter("rl_scrape_failures_total", "Sources of metrics that failed when they were asked.", Interlocked.Read(ref _failures));
        return page.ToString();
    }
}

/// <summary>One number of <see cref="NodeMetrics"/>. Any thread may use it, without waiting for others.</summary>
internal sealed class MetricCell
{
    private double _value;

    public double Value => Volatile.Read(ref _value);

    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Add(double amount = 1)
    {
        // Compared as bits: NaN is not equal to itself.
        var seen = Volatile.Read(ref _value);
        while (true)
        {
            var found = Interlocked.CompareExchange(ref _value, seen + amount, seen);
            if (BitConverter.DoubleToInt64Bits(found) == BitConverter.DoubleToInt64Bits(seen)) return;
            seen = found;
        }
    }
}

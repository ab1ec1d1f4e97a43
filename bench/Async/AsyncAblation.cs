using System.Globalization;
using System.Text;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Bench.Async;

/// <summary>The three update rules over random learning rates: <c>ablation OUT algorithm environment [--name value ...]</c> prints a table
/// and writes OUT.csv and OUT.svg.</summary>
/// <remarks>
/// Mnih et al. 2016, section 7 and figure S5 (50 runs a rule, of 4 games; here 20 rates times --seeds). All rules have the same rates,
/// drawn log-uniformly from 1e-4 … 1e-2, and the same seeds. The learners of a run take turns on one thread, so that each number can be
/// had again; --threads runs go on at a time.
/// </remarks>
internal static class AsyncAblation
{
    private const int Rates = 20;
    private const double Lowest = 1e-4, Highest = 1e-2;

    public static void Run(string path, string[] words)
    {
        var arguments = new AsyncArguments(words);
        double[] rates = DrawRates(arguments.Seed);
        var rules = Enum.GetValues<UpdateRule>();
        var scores = new double[rules.Length, Rates, arguments.Seeds];
        Parallel.For(0, scores.Length, new ParallelOptions { MaxDegreeOfParallelism = arguments.Threads }, i =>
        {
            var (rule, rate, seed) = (i % rules.Length, i / rules.Length % Rates, i / rules.Length / Rates);
            string[] more = ["--rule", $"{rules[rule]}", "--lr", rates[rate].ToString("R", CultureInfo.InvariantCulture)];
            scores[rule, rate, seed] = new AsyncRun(new AsyncArguments([.. words, .. more]), arguments.Seed + (ulong)seed).RunAlone();
        });
        var means = new double[rules.Length][];
        for (var i = 0; i < rules.Length; i++) means[i] = [.. Enumerable.Range(0, Rates).Select(rate => Of(i, rate).Average())];
        WriteTable(rules, rates, means, Of);
        WriteCsv(path + ".csv", rules, rates, Of);
        File.WriteAllText(path + ".svg", AblationPlot.Draw(string.Join(' ', words), [.. rules.Select(rule => $"{rule}")], rates, means));

        double[] Of(int rule, int rate) => [.. Enumerable.Range(0, arguments.Seeds).Select(seed => scores[rule, rate, seed])];
    }

    private static double[] DrawRates(ulong seed)
    {
        var random = RandomStream.Create(seed, StreamRole.Scheduler);
        var rates = new double[Rates];
        foreach (ref var rate in rates.AsSpan()) rate = Lowest * Math.Pow(Highest / Lowest, random.NextSingle());
        Array.Sort(rates);
        return rates;
    }

    private static void WriteTable(UpdateRule[] rules, double[] rates, double[][] means, Func<int, int, double[]> scores)
    {
        Write($"rate      {string.Concat(rules.Select(rule => $"{rule,16}"))}   mean (lowest seed)");
        for (var rate = 0; rate < Rates; rate++)
            Write($"{rates[rate]:E2}  {string.Concat(rules.Select((_, i) => Cell(means[i][rate], scores(i, rate).Min())))}");
        Write($"mean      {string.Concat(rules.Select((_, i) => Cell(means[i].Average(), means[i].Min())))}");
        for (var i = 1; i < rules.Length; i++)
        {
            // Rates are the sample: seeds of one rate are not independent of it.
            double[] gains = [.. Enumerable.Range(0, Rates).Select(rate => means[0][rate] - means[i][rate])];
            var mean = gains.Average();
            var error = Math.Sqrt(gains.Sum(gain => (gain - mean) * (gain - mean)) / (Rates - 1) / Rates);
            var better = gains.Count(gain => gain > 0);
            Write($"{rules[0]} - {rules[i]}: {mean:F1} ± {error:F1} (standard error over rates); better at {better} of {Rates}");
        }

        static string Cell(double mean, double lowest) => string.Create(CultureInfo.InvariantCulture, $"{mean,8:F1} ({lowest,5:F1})");
    }

    private static void WriteCsv(string path, UpdateRule[] rules, double[] rates, Func<int, int, double[]> scores)
    {
        var text = new StringBuilder("rule,learning_rate,seed,score\n");
        for (var i = 0; i < rules.Length; i++)
            for (var rate = 0; rate < Rates; rate++)
                foreach (var (seed, score) in scores(i, rate).Index())
                    text.Append(CultureInfo.InvariantCulture, $"{rules[i]},{rates[rate]:R},{seed + 1},{score:R}\n");
        File.WriteAllText(path, text.ToString());
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}

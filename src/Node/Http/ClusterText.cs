using System.Globalization;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Output;
using Spectre.Console;

namespace Rl.Distributed.Node.Http;

/// <summary>Shows people a cluster: a drawn table on a terminal, aligned columns elsewhere.</summary>
internal static class ClusterText
{
    private static readonly string[] Columns = ["node", "roles", "status", "workers", "reachable"];

    public static void Write(NodeStatus cluster, TextWriter output, bool isTerminal)
    {
        var members = cluster.Members.Count == 1 ? "1 member" : $"{cluster.Members.Count} members";
        output.WriteLine(Clean(
            $"Cluster {cluster.Cluster}: {members}, leader {Short(cluster.Leader)}; engine {cluster.Engine}, version {cluster.Version}"));
        var rows = cluster.Members.OrderBy(member => member.Address, StringComparer.Ordinal).ThenBy(member => member.Uid)
            .Select(member => Row(member, cluster.Run)).ToList();
        if (isTerminal) WriteTable(rows, output);
        else WriteColumns(rows, output);
        if (cluster.Work is { } work) output.WriteLine(Clean(Told(cluster, work)));
        if (cluster.Run is not { } run) return;
        output.WriteLine(Clean(
            $"Run {run.Preset}: {TrainingDisplay.Count(run.Frames)} / {TrainingDisplay.Count(run.TotalFrames)} frames  "
            + $"{TrainingDisplay.Count(run.FramesPerSecond)} frames/s  return {TrainingDisplay.Number(run.MeanReturn100)}  "
            + (run.GreedyReturn is { } greedy ? $"greedy {TrainingDisplay.Number(greedy)}  " : "")
            + $"lag {TrainingDisplay.Number(run.PolicyLag)}  "
            + (run.ShardSkew is { } skew ? $"skew {TrainingDisplay.Number(skew)}  " : "") + $"{TrainingDisplay.Count(run.Updates)} updates"));
        var unrolls = run.Unrolls;
        output.WriteLine(FormattableString.Invariant(
            $"Unrolls: {unrolls.Sent:N0} sent, {unrolls.Consumed:N0} consumed, {unrolls.Lost:N0} lost, ")
            + FormattableString.Invariant($"{unrolls.Rejected:N0} rejected, {unrolls.RolledBack:N0} rolled back"));
    }

    // A node that acts knows its own part of a run.
    private static string Told(NodeStatus node, WorkStatus work)
    {
        var learner = node.Members.FirstOrDefault(member => member.Roles.Contains(NodeRoles.Learner));
        return FormattableString.Invariant(
            $"Asked of {Short(node.Address)}, which acts with {work.Workers} workers for {(learner is null ? "no run now" : $"the run of {Short(learner.Address)}")}: ")
            + FormattableString.Invariant(
                $"{work.Sent:N0} unrolls sent, {work.Consumed:N0} consumed, {work.Lost:N0} lost, {work.Rejected:N0} rejected");
    }

    private static string[] Row(MemberInfo member, RunStatus? run)
    {
        var workers = run is null ? "-" : run.Workers.GetValueOrDefault(member.Address).ToString(CultureInfo.InvariantCulture);
        string[] row = [Short(member.Address), string.Join(", ", member.Roles), member.Status, workers, member.Reachable ? "yes" : "no"];
        return [.. row.Select(Clean)];
    }

    private static void WriteTable(List<string[]> rows, TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        var table = new Table().Border(TableBorder.Rounded).AddColumns(Columns);
        table.Columns[3].RightAligned();
        foreach (var row in rows)
        {
            table.AddRow(row.Select((cell, i) => new Text(cell, new Style(Color(row, i)))));
        }
        console.Write(table);
    }

    private static Color? Color(string[] row, int column) => column switch
    {
        2 => row[2] == "Up" ? Spectre.Console.Color.Green : Spectre.Console.Color.Yellow,
        4 when row[4] == "no" => Spectre.Console.Color.Red,
        _ => null,
    };

    private static void WriteColumns(List<string[]> rows, TextWriter output)
    {
        string[][] lines = [Columns, .. rows];
        var widths = Columns.Select((_, i) => lines.Max(line => line[i].Length)).ToList();
        foreach (var line in lines)
        {
            var cells = line.Select((cell, i) => i == 3 ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            output.WriteLine($"  {string.Join("  ", cells)}".TrimEnd());
        }
    }

    /// <summary>The part of an address that tells nodes of one cluster apart.</summary>
    private static string Short(string? address) => address is null ? "none" : address[(address.LastIndexOf('@') + 1)..];

    /// <summary>What another machine sent does not steer the terminal.</summary>
    private static string Clean(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter));
}

using System.CommandLine;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl list</c>: what can be trained, on what, by what.</summary>
internal static class ListCommand
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("list", "Lists presets, environments and algorithms.");
        command.SetAction(_ =>
        {
            Section(host, "Presets: rl train PRESET", Presets.Names.Select(name => (name, Presets.Description(name))));
            Section(host, "Environments: --env NAME", KnownEnvironments.All.Entries
                .Select(entry => (entry.Name, entry.Description)).Concat(KnownEnvironments.All.Sources.Select(source => (source.NamePattern, source.Description))));
            Section(host, "Algorithms", Algorithms.All.Select(each => (each.Name, each.Description)));
        });
        return command;
    }

    private static void Section(CommandHost host, string title, IEnumerable<(string Name, string Description)> lines)
    {
        var all = lines.ToList();
        var width = all.Count == 0 ? 0 : all.Max(line => line.Name.Length);
        host.Output.WriteLine(title);
        foreach (var (name, description) in all) host.Output.WriteLine($"  {name.PadRight(width)}  {description}");
        host.Output.WriteLine();
    }
}

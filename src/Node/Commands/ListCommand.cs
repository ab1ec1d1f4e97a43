using System.CommandLine;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl list</c>: what can be trained, on what, by what; or the options of one environment.</summary>
internal static class ListCommand
{
    public static Command Create(CommandHost host)
    {
        var environment = new Argument<string?>("ENV")
        {
            Description = "An environment's name: lists its options instead.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("list", "Lists presets, environments and algorithms; or the options of an environment.") { environment };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(environment) is { } name) Describe(host, Find(name));
            else ListAll(host);
        });
        return command;
    }

    private static void ListAll(CommandHost host)
    {
        Section(host, "Presets: rl train PRESET", Presets.Names.Select(name => (name, Presets.Description(name))));
        Section(host, "Environments: --env NAME (options: rl list NAME)", KnownEnvironments.All.Entries
            .Select(entry => (entry.Name, entry.Description)).Concat(KnownEnvironments.All.Sources.Select(source => (source.NamePattern, source.Description))));
        Section(host, "Algorithms", Algorithms.All.Select(each => (each.Name, each.Description)));
    }

    private static void Describe(CommandHost host, EnvironmentEntry entry)
    {
        host.Output.WriteLine($"{entry.Name}: {entry.Description}");
        host.Output.WriteLine();
        var options = OptionModel.Of(typeof(EnvironmentOptions)).Where(option => option.Property.Name != nameof(EnvironmentOptions.Name)).ToList();
        var own = options.Where(option => entry.Options.Contains(option.Property.Name)).ToList();
        var around = options.Where(option => Attribute.IsDefined(option.Property, typeof(ForAnyEnvironmentAttribute))).Except(own);
        Section(host, own.Count == 0 ? "It has no options of its own." : "Its options: --set env.KEY=VALUE", own.Select(option => Line(option, entry)));
        Section(host, "Around any environment", around.Select(option => Line(option, entry)));
    }

    private static (string Name, string Description) Line(Configuration.Option option, EnvironmentEntry entry)
    {
        var range = entry.Ranges.FirstOrDefault(each => each.Option == option.Property.Name);
        var value = option.Property.Name == nameof(EnvironmentOptions.FrameStack) ? entry.FrameStack : range?.Default ?? option.Default;
        var values = range is not null ? $"{range.Least} to {range.Most}"
            : option.Type == typeof(bool) ? "true or false"
            : option.Type.IsEnum ? string.Join(", ", ScalarText.EnumNames(option.Type))
            : option.RangeText ?? "";
        return ($"{option.Key} = {(value is null ? "its own" : ScalarText.Format(value))}", $"[{values}] {option.Description}");
    }

    private static EnvironmentEntry Find(string name)
    {
        try
        {
            return KnownEnvironments.All.Find(name) ?? throw new ConfigException(
                $"There is no environment '{name}'{NearestName.Hint(name, KnownEnvironments.All.Names)} `rl list` shows all.");
        }
        catch (EnvironmentException e)
        {
            throw new ConfigException(e.Message, e);
        }
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

using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Rl.Distributed.Node.Configuration;

/// <summary>Reads YAML into nodes that know their lines; refuses duplicate keys, tags, anchors and aliases.</summary>
internal static class YamlTree
{
    /// <summary>Reads a document whose top is a mapping; an empty one is an empty mapping.</summary>
    public static ConfigMapping ReadMapping(string yaml, string sourceName)
    {
        var node = Read(yaml, line => new ConfigSource(sourceName, line));
        return node switch
        {
            null => new ConfigMapping(new ConfigSource(sourceName, 1), []),
            ConfigScalar { IsNull: true } => new ConfigMapping(node.Source, []),
            ConfigMapping mapping => mapping,
            _ => throw node.Source.Error($"the file must be a mapping of keys to values, not {node}."),
        };
    }

    /// <summary>Reads the value of a command line option: a scalar or a flow sequence such as [64, 64].</summary>
    public static ConfigNode ReadValue(string text, ConfigSource source) =>
        Read(text, _ => source) ?? new ConfigScalar(source, "", Quoted: false);

    private static ConfigNode? Read(string yaml, Func<int, ConfigSource> at)
    {
        var parser = new Parser(new StringReader(yaml));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _)) return null;
            parser.Consume<DocumentStart>();
            var node = ReadNode(parser, at);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out var more))
                throw at((int)parser.Current!.Start.Line).Error("a second document begins here; only one is read.");
            return node;
        }
        catch (YamlException e)
        {
            throw new ConfigException($"{at((int)e.Start.Line)}: this is no valid YAML: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static ConfigNode ReadNode(Parser parser, Func<int, ConfigSource> at)
    {
        var source = at((int)parser.Current!.Start.Line);
        if (parser.Current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
            throw source.Error("anchors and aliases are not supported: write the value out.");
        if (parser.Current is NodeEvent { Tag.IsEmpty: false } tagged)
            throw source.Error($"tags such as {tagged.Tag.Value} are not supported: remove it.");
        if (parser.TryConsume<Scalar>(out var scalar)) return new ConfigScalar(source, scalar.Value, scalar.Style != ScalarStyle.Plain);
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<ConfigNode>();
            while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode(parser, at));
            return new ConfigSequence(source, items);
        }
        parser.Consume<MappingStart>();
        return ReadEntries(parser, source, at);
    }

    private static ConfigMapping ReadEntries(Parser parser, ConfigSource source, Func<int, ConfigSource> at)
    {
        var entries = new List<ConfigEntry>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (ReadNode(parser, at) is not ConfigScalar key) throw source.Error("a key must be a plain name.");
            if (entries.Find(entry => entry.Key == key.Text) is { } first)
            {
                throw key.Source.Error($"the key '{key.Text}' is there already ({first.Source}): remove one.");
            }
            entries.Add(new ConfigEntry(key.Text, key.Source, ReadNode(parser, at)));
        }
        return new ConfigMapping(source, entries);
    }
}

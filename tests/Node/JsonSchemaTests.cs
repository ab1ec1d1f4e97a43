using System.Text.Json.Nodes;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Tests;

public sealed class JsonSchemaTests
{
    private static readonly JsonObject Schema = JsonNode.Parse(JsonSchema.Of(typeof(TrainingConfig), "t").ToJsonString())!.AsObject();

    [Fact]
    public void It_says_which_draft_it_follows() => Assert.Equal("https://json-schema.org/draft/2020-12/schema", (string?)Schema["$schema"]);

    [Fact]
    public void Every_object_is_closed_and_every_option_described() => Walk(Schema, "", (path, option) => Assert.True(option["description"] is not null, path));

    [Fact]
    public void Ranges_and_defaults_come_from_the_records()
    {
        var batch = Option("learner", "batch");
        Assert.Equal("integer", (string?)batch["type"]);
        Assert.Equal((1, 65536, 32), ((int)batch["minimum"]!, (int)batch["maximum"]!, (int)batch["default"]!));
        var norm = Option("learner", "maxGradientNorm");
        Assert.Equal(0, (int)norm["exclusiveMinimum"]!);
        Assert.Null(norm["maximum"]);
        Assert.Equal("array", (string?)Option("network", "hidden")["type"]);
        Assert.Equal(["number", "null"], Option("environment", "stickyActions")["type"]!.AsArray().Select(type => (string)type!));
        Assert.Contains("rmsProp", Option("learner", "optimizer", "kind")["enum"]!.AsArray().Select(name => (string)name!));
    }

    [Fact]
    public void Defaults_lie_within_their_own_ranges() => Walk(Schema, "", (path, option) =>
    {
        if (option["default"] is not JsonValue value || !value.TryGetValue<double>(out var number)) return;
        if (option["minimum"] is { } minimum) Assert.True(number >= (double)minimum, path);
        if (option["maximum"] is { } maximum) Assert.True(number <= (double)maximum, path);
    });

    [Fact]
    public void The_learners_options_are_those_of_the_algorithm()
    {
        var names = Option("algorithm")["enum"]!.AsArray().Select(name => (string)name!).ToList();
        Assert.Equal(Algorithms.All.Select(algorithm => algorithm.Name), names);
        Assert.Equal(names, Variants(Schema).Select(variant => (string)variant["if"]!["properties"]!["algorithm"]!["const"]!));
        // Only where nothing is written the default's are meant.
        Assert.All(Variants(Schema), variant => Assert.Equal(
            (string)variant["if"]!["properties"]!["algorithm"]!["const"]! != "impala", variant["if"]!["required"] is not null));
    }

    private static IEnumerable<JsonNode> Variants(JsonObject schema) => schema["allOf"]?.AsArray().Select(variant => variant!) ?? [];

    private static JsonNode Option(params ReadOnlySpan<string> path)
    {
        JsonNode node = Schema;
        if (path[0] == "learner") node = Variants(Schema).First()["then"]!;
        foreach (var key in path) node = node["properties"]![key]!;
        return node;
    }

    private static void Walk(JsonObject schema, string path, Action<string, JsonObject> visit)
    {
        Assert.False((bool)schema["additionalProperties"]!, path);
        foreach (var (key, value) in schema["properties"]!.AsObject())
        {
            var option = value!.AsObject();
            visit($"{path}.{key}", option);
            if (option["properties"] is not null) Walk(option, $"{path}.{key}", visit);
        }
        foreach (var variant in Variants(schema))
            foreach (var (key, value) in variant["then"]!["properties"]!.AsObject()) Walk(value!.AsObject(), $"{path}.{key}", visit);
    }
}

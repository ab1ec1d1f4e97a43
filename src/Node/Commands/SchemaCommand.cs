using System.CommandLine;
using System.Text.Json;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl schema</c>: the JSON Schema of presets.</summary>
internal static class SchemaCommand
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("schema", "Prints the JSON Schema (draft 2020-12) of presets and configuration files.");
        command.SetAction(_ => host.Output.WriteLine(
            JsonSchema.Of(typeof(TrainingConfig), "Rl.Distributed configuration").ToJsonString(JsonText.Indented)));
        return command;
    }
}

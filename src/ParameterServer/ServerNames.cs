namespace Rl.Distributed.ParameterServer;

/// <summary>Names of the actors by which others learn for a run, or for a shard of one; they have one parent.</summary>
public static class ServerNames
{
    public const string Parameters = "parameter-server", Targets = "target-server", Gradients = "gradient-server";
}

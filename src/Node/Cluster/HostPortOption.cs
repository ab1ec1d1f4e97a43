using System.CommandLine;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Makes options whose value is HOST:PORT.</summary>
internal static class HostPortOption
{
    /// <summary>An address to listen on: port 0 lets the system choose. Null where the option is not given.</summary>
    public static Option<HostPort?> ToListen(string name, string description) => Create(name, description, _ => null);

    /// <summary>An address to connect to: a certain port of a certain host. Null where the option is not given.</summary>
    public static Option<HostPort?> ToConnect(string name, string description) => Create(name, description, address =>
        address.Port == 0 ? "port 0 is for listening only; give the port that was chosen."
        : address.IsAny ? "this address is for listening only; give a name or an address of the machine."
        : null);

    private static Option<HostPort?> Create(string name, string description, Func<HostPort, string?> refusal) => new(name)
    {
        Description = description,
        HelpName = "host:port",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            var value = HostPort.TryParse(text, out var error);
            if (value is not null) error = refusal(value) ?? "";
            if (error.Length == 0) return value;
            result.AddError($"{name} {text}: {error}");
            return null;
        },
    };
}

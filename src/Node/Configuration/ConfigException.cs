namespace Rl.Distributed.Node.Configuration;

/// <summary>The user's configuration or command line is wrong; the message says what, where and what to do. Exit code 2.</summary>
public sealed class ConfigException(string message, Exception? inner = null) : Exception(message, inner);

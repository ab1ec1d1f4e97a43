using System.Net;
using System.Net.Sockets;
using System.Text;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Tests.Clustering;

public sealed class NodeSafetyTests : IDisposable
{
    private const string Good = "0123456789abcdef";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory, InlineData(""), InlineData("\n"), InlineData("\r\n"), InlineData("\n\n")]
    public void A_secret_is_a_files_content_without_the_newline_at_its_end(string end)
    {
        var read = NodeSafety.ReadSecret(Write(Good + end), _ => "of no interest: the file was given");
        Assert.Equal(Good, Encoding.UTF8.GetString(read.Bytes.Span));
        Assert.Null(read.Warning);
    }

    [Fact]
    public void Without_a_file_it_comes_from_the_environment()
    {
        var read = NodeSafety.ReadSecret(null, name => name == "RL_SECRET" ? Good + "\n" : null);
        Assert.Equal(Good, Encoding.UTF8.GetString(read.Bytes.Span));
        Assert.Null(read.Warning);
    }

    [Theory, InlineData(null), InlineData("")]
    public void Without_either_there_is_none(string? variable) => Assert.True(NodeSafety.ReadSecret(null, _ => variable).Bytes.IsEmpty);

    [Theory, InlineData("0123456789abcde", 15), InlineData("0123456789abcde\n", 15), InlineData("", 0), InlineData("\n", 0)]
    public void A_short_secret_is_refused_with_a_way_to_make_one(string content, int length)
    {
        var path = Write(content);
        var error = Assert.Throws<ConfigException>(() => NodeSafety.ReadSecret(path, _ => null)).Message;
        Assert.Equal($"The secret in '{path}' has {length} bytes, at least 16 are needed. "
            + "Make one with `(umask 077; openssl rand -hex 32 > secret.txt)` and give the same to all nodes.", error);
    }

    [Fact]
    public void A_short_secret_in_the_environment_is_refused() => Assert.StartsWith(
        "The secret in RL_SECRET has 5 bytes, at least 16 are needed. Make one with",
        Assert.Throws<ConfigException>(() => NodeSafety.ReadSecret(null, _ => "short")).Message);

    [Fact]
    public void A_file_that_is_too_long_to_be_one_is_refused()
    {
        Assert.Equal(4096, NodeSafety.ReadSecret(Write(new string('x', 4096) + "\r\n"), _ => null).Bytes.Length);
        Assert.Contains("has more than 4096 bytes", Assert.Throws<ConfigException>(
            () => NodeSafety.ReadSecret(Write(new string('x', 100_000)), _ => null)).Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() => Assert.Matches("^The secret cannot be read: .*none\\.txt.* Make one with",
        Assert.Throws<ConfigException>(() => NodeSafety.ReadSecret(_directory.File("none.txt"), _ => null)).Message);

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, true)]
    public void A_file_that_others_can_read_is_warned_of(UnixFileMode mode, bool warns)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no such modes.");
        var path = Write(Good);
        var link = _directory.File("link");
        SetMode(path, mode);
        File.CreateSymbolicLink(link, path);
        var expected = warns ? $"The secret in '{path}' can be read by other users of this machine: `chmod 600 {path}`." : null;
        Assert.Equal(expected, NodeSafety.ReadSecret(path, _ => null).Warning);
        Assert.Equal(warns, NodeSafety.ReadSecret(link, _ => null).Warning is not null);
    }

    [Fact]
    public void A_secret_that_a_container_is_given_is_not_warned_of() => Assert.Equal(
        (false, true),
        (NodeSafety.WarnOf("/run/secrets/rl", UnixFileMode.OtherRead) is not null, NodeSafety.WarnOf("/run/rl", UnixFileMode.OtherRead) is not null));

    [Theory]
    [InlineData("127.0.0.1"), InlineData("127.9.9.9"), InlineData("::1"), InlineData("[::1]"), InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:127.0.0.2"), InlineData("localhost"), InlineData("loops")]
    public void Loopback_needs_nothing(string host) => NodeSafety.CheckBind(host, isProtected: false, isInsecure: false, canBeProtected: true, Resolve);

    [Theory, InlineData("0.0.0.0"), InlineData("::"), InlineData("10.0.0.1"), InlineData("fe80::1"), InlineData("node"), InlineData("half")]
    public void Anything_else_needs_a_secret_or_the_users_word(string host)
    {
        NodeSafety.CheckBind(host, isProtected: true, isInsecure: false, canBeProtected: true, Resolve);
        NodeSafety.CheckBind(host, isProtected: false, isInsecure: true, canBeProtected: true, Resolve);
        var error = Refusal(host, canBeProtected: true);
        Assert.StartsWith($"Listening on {host} without a secret would let anybody", error);
        foreach (var cure in new[] { "--secret-file PATH", "RL_SECRET", "openssl rand", "127.0.0.1", "--insecure" }) Assert.Contains(cure, error);
    }

    [Fact]
    public void A_name_that_nobody_knows_is_told_as_such() => Assert.StartsWith("'nowhere' is no address to listen on: ",
        Refusal("nowhere", canBeProtected: true));

    [Fact]
    public void An_engine_without_secrets_recommends_none()
    {
        var error = Refusal("0.0.0.0", canBeProtected: false);
        Assert.DoesNotContain("--secret-file", error);
        foreach (var cure in new[] { "127.0.0.1", "--insecure" }) Assert.Contains(cure, error);
    }

    private static string Refusal(string host, bool canBeProtected) => Assert.Throws<ConfigException>(
        () => NodeSafety.CheckBind(host, isProtected: false, isInsecure: false, canBeProtected, Resolve)).Message;

    private static IPAddress[] Resolve(string host) => host switch
    {
        "localhost" => [IPAddress.Loopback, IPAddress.IPv6Loopback],
        "loops" => [IPAddress.Parse("127.0.1.1")],
        "node" => [IPAddress.Parse("10.0.0.7")],
        "half" => [IPAddress.Loopback, IPAddress.Parse("10.0.0.7")],
        _ => throw new SocketException((int)SocketError.HostNotFound),
    };

    private string Write(string content)
    {
        var path = _directory.File("secret.txt");
        File.WriteAllText(path, content);
        SetMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }
}

using System.CommandLine;
using System.Net;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Tests.Clustering;

public sealed class HostPortTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", "127.0.0.1", 8080)]
    [InlineData("0.0.0.0:0", "0.0.0.0", 0)]
    [InlineData("[::1]:80", "::1", 80)]
    [InlineData("[fe80::1]:65535", "fe80::1", 65535)]
    [InlineData("learner:4053", "learner", 4053)]
    [InlineData("a-b_c.example.org:1", "a-b_c.example.org", 1)]
    public void An_address_is_read_and_written_back(string text, string host, int port)
    {
        var address = HostPort.Parse(text);
        Assert.Equal((host, port), (address.Host, address.Port));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("", "the port is missing")]
    [InlineData("8080", "the port is missing")]
    [InlineData("localhost", "the port is missing")]
    [InlineData("[::1]", "the port is missing")]
    [InlineData("[::1]80", "the port is missing")]
    [InlineData("[::1:80", "']' is missing")]
    [InlineData("::1:80", "goes into brackets")]
    [InlineData("[127.0.0.1]:80", "is not an IPv6 address")]
    [InlineData(":80", "the host is missing")]
    [InlineData("host:", "a number from 0 to 65535")]
    [InlineData("host:65536", "a number from 0 to 65535")]
    [InlineData("host:-1", "a number from 0 to 65535")]
    [InlineData("host: 80", "a number from 0 to 65535")]
    [InlineData("host:٣", "a number from 0 to 65535")]
    [InlineData("256.0.0.1:80", "is not an IPv4 address")]
    [InlineData("127.1:80", "is not an IPv4 address")]
    [InlineData("*:80", "write 0.0.0.0")]
    [InlineData("http://localhost:80", "://")]
    [InlineData("a b:80", "is not the name of a host")]
    [InlineData("a/b:80", "is not the name of a host")]
    public void What_is_no_address_is_refused_with_a_hint(string text, string hint)
    {
        var error = Assert.Throws<ConfigException>(() => HostPort.Parse(text)).Message;
        Assert.StartsWith($"'{text}' is not HOST:PORT: ", error);
        Assert.Contains(hint, error);
    }

    [Theory]
    [InlineData("127.0.0.1:1", true, false)]
    [InlineData("127.8.9.1:1", true, false)]
    [InlineData("[::1]:1", true, false)]
    [InlineData("LocalHost:1", true, false)]
    [InlineData("0.0.0.0:1", false, true)]
    [InlineData("[::]:1", false, true)]
    [InlineData("10.0.0.1:1", false, false)]
    [InlineData("learner:1", false, false)]
    public void Loopback_and_any_are_told_apart(string text, bool loopback, bool any)
    {
        var address = HostPort.Parse(text);
        Assert.Equal((loopback, any), (address.IsLoopback, address.IsAny));
    }

    [Fact]
    public void Localhost_is_bound_at_its_IPv4_address() =>
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7), HostPort.Parse("localhost:7").Resolve());

    [Theory]
    [InlineData("0.0.0.0:80", "for listening only")]
    [InlineData("learner:0", "for listening only")]
    [InlineData("learner", "the port is missing")]
    public void An_option_to_connect_refuses_what_one_can_only_listen_on(string value, string hint)
    {
        var option = HostPortOption.ToConnect("--join", "");
        var error = Assert.Single(new RootCommand { option }.Parse(["--join", value]).Errors).Message;
        Assert.StartsWith($"--join {value}: ", error);
        Assert.Contains(hint, error);
    }

    [Fact]
    public void An_option_to_listen_takes_any_port_and_is_null_where_it_is_not_given()
    {
        var option = HostPortOption.ToListen("--listen", "");
        var root = new RootCommand { option };
        Assert.Equal(new HostPort("0.0.0.0", 0), root.Parse(["--listen", "0.0.0.0:0"]).GetValue(option));
        Assert.Null(root.Parse([]).GetValue(option));
    }
}

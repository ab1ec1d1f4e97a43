using Akka.Actor;

namespace Rl.Distributed.Runtime.Tests;

public sealed class PathSpecs
{
    [Fact]
    public void Addresses_parse_and_compare()
    {
        var local = Address.Parse("akka://spec");
        Assert.Equal(("akka", "spec", null, null, true, false),
            (local.Protocol, local.System, local.Host, local.Port, local.HasLocalScope, local.HasGlobalScope));
        var remote = Address.Parse("akka.tcp://spec@Host-1:8081");
        Assert.Equal(new Address("akka.tcp", "spec", "host-1", 8081), remote);
        Assert.Equal("akka.tcp://spec@host-1:8081", remote.ToString());
        Assert.True(remote == Address.Parse(remote.ToString()) && remote != local
            && remote.GetHashCode() == Address.Parse(remote.ToString()).GetHashCode());
        Assert.True(local.CompareTo(remote) < 0 && remote.CompareTo(local) > 0 && local.CompareTo(null) > 0);
        foreach (var bad in new[] { "spec", "akka://", "akka://spec@host", "akka://spec@host:port", "akka://@host:1" })
        {
            Assert.Throws<UriFormatException>(() => Address.Parse(bad));
            Assert.False(Address.TryParse(bad, out _));
        }
    }

    [Fact]
    public void Paths_parse_and_compare()
    {
        var path = ActorPath.Parse("akka://spec/user/a/b#17");
        Assert.Equal((3, "b", 17L), (path.Depth, path.Name, path.Uid));
        Assert.Equal(["user", "a", "b"], path.Elements);
        Assert.Equal("akka://spec/user/a/b", path.ToString());
        Assert.Equal(path.ToString(), path.ToStringWithAddress());
        Assert.Equal("akka://spec/user/a/b#17", path.ToSerializationFormat());
        Assert.Equal("akka://spec/user/a/b#17", path.ToStringWithUid());
        Assert.Equal("/user/a/b", path.ToStringWithoutAddress());
        Assert.Equal("/", path.Root.ToStringWithoutAddress());
        var built = new RootActorPath(new Address("akka", "spec")) / "user" / "a" / "b";
        Assert.True(built == path && !(built != path) && built.GetHashCode() == path.GetHashCode());
        Assert.Equal(path.Parent, new ChildActorPath(path.ParentOf(1), "a", 3));
        Assert.True(path.Parent.CompareTo(path) < 0 && path.CompareTo(built) == 0 && path.CompareTo(null) > 0);
        Assert.Same(path.Root, path.Root.Parent);
        Assert.Equal(new Address("akka", "spec"), path.Address);
        Assert.False(ActorPath.TryParse("user/a", out _));
        Assert.Throws<UriFormatException>(() => ActorPath.Parse("akka://spec/user/a#x"));
        Assert.True(ActorPath.IsValidPathElement("a-b_c.1") && !ActorPath.IsValidPathElement("a b") && !ActorPath.IsValidPathElement("$a"));
        Assert.Contains("-", ActorPath.ValidSymbols);
    }
}

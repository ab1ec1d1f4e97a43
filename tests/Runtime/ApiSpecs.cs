using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Whatever the runtime shows is also in the packages, with the same shape.</summary>
/// <remarks>akka-api.txt lists public signatures of the packages; akka-api-named.txt, in the same notation, those of types
/// that the first list names without listing them (delegates, markers, base classes).</remarks>
public sealed class ApiSpecs
{
    [Fact]
    public void Every_public_member_stands_in_the_list_of_the_packages()
    {
        var listed = ApiList.Read("akka-api.txt", "akka-api-named.txt");
        var problems = new StringBuilder();
        foreach (var type in typeof(EmbeddedEngine).Assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            if (type.Namespace == "Rl.Distributed.Runtime") continue;
            var path = type.FullName!.Replace('+', '.').Split('`')[0];
            if (!listed.TryGetValue(path, out var expected))
            {
                problems.AppendLine($"{path}: no such type in the packages");
                continue;
            }
            if (ApiPrinter.Header(type) is var header && !Fits(header, expected.Header))
                problems.AppendLine($"{path}:\n  ours    {header}\n  theirs  {expected.Header}");
            foreach (var member in ApiPrinter.Members(type).Where(member => !expected.Members.Contains(member)))
            {
                problems.AppendLine($"{path}:\n  ours    {member}");
                foreach (var near in expected.Members.Where(each => ApiPrinter.NameOf(each) == ApiPrinter.NameOf(member)))
                    problems.AppendLine($"  theirs  {near}");
            }
        }
        Assert.True(problems.Length == 0, "\n" + problems);
    }

    [Fact]
    public void The_printer_tells_shapes_apart()
    {
        var members = ApiPrinter.Members(typeof(Sample)).ToList();
        Assert.Contains("static int? Twice<T>(T it, ref int count, params object[] rest)", members);
        Assert.Contains("void Optional(string name = null, TimeSpan? limit = default, bool flag = true)", members);
        Assert.Contains("protected virtual IReadOnlyList<string> Names { get; set; }", members);
        Assert.Contains("int Count { get; protected set; }", members);
        Assert.Contains("const string Word", members);
        Assert.DoesNotContain(members, member => member.Contains("Hidden", StringComparison.Ordinal));
        Assert.Equal("static class Rl.Distributed.Runtime.Tests.ApiSpecs.Extensions", ApiPrinter.Header(typeof(Extensions)));
    }

    /// <summary>The same kind and base class; of the interfaces ours may lack those that the slice does not have.</summary>
    private static bool Fits(string ours, string theirs)
    {
        var (kind, bases) = Split(ours);
        var (theirKind, theirBases) = Split(theirs);
        return kind == theirKind && bases.All(theirBases.Contains) && BaseClass(bases).SequenceEqual(BaseClass(theirBases));

        static (string, string[]) Split(string header) =>
            header.Split(" : ") is [var left, var right] ? (left, ApiPrinter.SplitAtCommas(right)) : (header, []);

        static IEnumerable<string> BaseClass(string[] bases) => bases.Where(name => !IsInterface(name));

        static bool IsInterface(string name) => name.Split('.')[^1] is ['I', var second, ..] && char.IsUpper(second);
    }

    public static class Extensions;

    public abstract class Sample
    {
        public const string Word = "word";

        protected virtual IReadOnlyList<string> Names { get; set; }

        public int Count { get; protected set; }

        internal int Hidden { get; set; }

        public static int? Twice<T>(T it, ref int count, params object[] rest) => count;

        public void Optional(string name = null, TimeSpan? limit = default, bool flag = true) => Names = [name];
    }
}

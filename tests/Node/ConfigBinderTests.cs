using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Tests;

public sealed class ConfigBinderTests
{
    private enum Color
    {
        Red,
        DarkBlue,
    }

    private sealed record Inner
    {
        [Range(0.0, 1.0)]
        public float Rate { get; init; } = 0.5f;

        [Range(0.0, double.PositiveInfinity, MinimumIsExclusive = true)]
        public double Norm { get; init; } = 40;
    }

    private sealed record Outer
    {
        [Description("How many.")]
        [Range(1, 100)]
        public int Count { get; init; } = 7;

        public long Frames { get; init; }

        public ulong Seed { get; init; }

        public bool Enabled { get; init; }

        public Color Color { get; init; }

        public string Name { get; init; } = "none";

        public double? Maybe { get; init; } = 3;

        [Range(1, 512)]
        public ImmutableArray<int> Sizes { get; init; } = [1];

        public int[] Others { get; init; } = [];

        public Inner Inner { get; init; } = new();

        public int Derived => Count * 2;
    }

    [Fact]
    public void What_is_not_written_keeps_its_default()
    {
        var outer = Bind("inner:\n  rate: 0.25\n");
        Assert.Equal(7, outer.Count);
        Assert.Equal(0.25f, outer.Inner.Rate);
        Assert.Equal(40, outer.Inner.Norm);
    }

    [Theory]
    [InlineData("1e6", 1_000_000)]
    [InlineData("1_000_000", 1_000_000)]
    [InlineData("2.5e3", 2500)]
    [InlineData("-3", -3)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Whole_numbers_may_have_exponents_and_underscores(string text, long expected) => Assert.Equal(expected, Bind($"frames: {text}").Frames);

    [Fact]
    public void The_largest_seed_is_read_exactly() => Assert.Equal(ulong.MaxValue, Bind("seed: 18446744073709551615").Seed);

    [Theory]
    [InlineData("inf")]
    [InlineData(".inf")]
    public void Infinity_is_a_number(string text) => Assert.Equal(double.PositiveInfinity, Bind($"inner: {{ norm: {text} }}").Inner.Norm);

    [Theory]
    [InlineData("darkBlue")]
    [InlineData("dark-blue")]
    [InlineData("DarkBlue")]
    public void Names_of_an_enum_may_be_written_in_each_usual_way(string text) => Assert.Equal(Color.DarkBlue, Bind($"color: {text}").Color);

    [Fact]
    public void Lists_bind_to_both_kinds_of_array()
    {
        var outer = Bind("sizes: [64, 1e2]\nothers:\n  - 1\n  - 2\n");
        Assert.Equal([64, 100], outer.Sizes.ToArray());
        Assert.Equal([1, 2], outer.Others);
    }

    [Fact]
    public void Null_is_for_what_may_be_absent()
    {
        Assert.Null(Bind("maybe: null").Maybe);
        Assert.Equal("file.yaml, line 1: 'count' is 'null'; expected a whole number.", Error("count: null"));
    }

    [Theory]
    [InlineData("a: 1\n", "file.yaml, line 1: unknown key 'a'")]
    [InlineData("\n\ncuont: 3\n", "file.yaml, line 3: unknown key 'cuont'; did you mean 'count'?")]
    [InlineData("inner:\n  # comment\n  raet: 1\n", "file.yaml, line 3: unknown key 'inner.raet'; did you mean 'inner.rate'?")]
    [InlineData("derived: 4", "file.yaml, line 1: unknown key 'derived'")]
    [InlineData("count: many", "file.yaml, line 1: 'count' is 'many'; expected a whole number.")]
    [InlineData("count: 1.5", "file.yaml, line 1: 'count' is '1.5'; expected a whole number.")]
    [InlineData("count: 1e10", "file.yaml, line 1: 'count' is '1e10'; expected a whole number.")]
    [InlineData("count: '3'", "file.yaml, line 1: 'count' is '3'; expected a whole number.")]
    [InlineData("seed: -1", "file.yaml, line 1: 'seed' is '-1'; expected a whole number from 0 on.")]
    [InlineData("enabled: yes", "file.yaml, line 1: 'enabled' is 'yes'; expected true or false.")]
    [InlineData("color: gren", "file.yaml, line 1: 'color' is 'gren'; expected one of red, darkBlue; did you mean 'red'?")]
    [InlineData("color: 1", "file.yaml, line 1: 'color' is '1'; expected one of red, darkBlue.")]
    [InlineData("inner:\n  rate: nan", "file.yaml, line 2: 'inner.rate' is 'nan'; expected a number.")]
    [InlineData("inner:\n  rate: 1.5", "file.yaml, line 2: 'inner.rate' is 1.5, out of its range, 0 to 1.")]
    [InlineData("inner:\n  norm: 0", "file.yaml, line 2: 'inner.norm' is 0, out of its range, above 0 (inf too).")]
    [InlineData("count: 0", "file.yaml, line 1: 'count' is 0, out of its range, 1 to 100.")]
    [InlineData("sizes: [1, 2, 513]", "file.yaml, line 1: 'sizes[2]' is 513, out of its range, 1 to 512.")]
    [InlineData("sizes: 5", "file.yaml, line 1: 'sizes' is '5'; expected a list such as [64, 64].")]
    [InlineData("count: [5]", "file.yaml, line 1: 'count' is a list; expected a single value.")]
    [InlineData("inner: 3", "file.yaml, line 1: 'inner' is '3', but has keys of its own: rate, norm.")]
    [InlineData("count: 1\nname: x\ncount: 2", "file.yaml, line 3: the key 'count' is there already (file.yaml, line 1): remove one.")]
    [InlineData("- 1", "file.yaml, line 1: the file must be a mapping of keys to values, not a list.")]
    [InlineData("count: &a 1", "file.yaml, line 1: anchors and aliases are not supported")]
    [InlineData("count: !!int 1", "file.yaml, line 1: tags such as")]
    [InlineData("count: 1\n---\ncount: 2", "file.yaml, line 2: a second document begins here")]
    [InlineData("count: 1\nsizes: [1", "file.yaml, line 3: this is no valid YAML: ")]
    public void What_is_wrong_is_told_with_line_key_and_cure(string yaml, string expected) => Assert.StartsWith(expected, Error(yaml));

    [Fact]
    public void A_written_record_reads_back_equal()
    {
        var outer = new Outer
        {
            Count = 3,
            Frames = 12_345_678_901,
            Seed = ulong.MaxValue,
            Color = Color.DarkBlue,
            Name = "with: \"quotes\" and\nlines",
            Maybe = null,
            Inner = new Inner { Rate = 0.1f, Norm = double.PositiveInfinity },
        };
        var read = Bind(ConfigWriter.Write(outer));
        Assert.Equal(outer with { Sizes = default, Others = [] }, read with { Sizes = default, Others = outer.Others.Length == 0 ? [] : read.Others });
        Assert.Equal(outer.Sizes.ToArray(), read.Sizes.ToArray());
    }

    private static Outer Bind(string yaml) => new ConfigBinder().Bind<Outer>(YamlTree.ReadMapping(yaml, "file.yaml"));

    private static string Error(string yaml) => Assert.Throws<ConfigException>(() => Bind(yaml)).Message;
}

using Rl.Distributed.Core.Networks;

namespace Rl.Distributed.Core.Tests.Networks;

public class ParameterLayoutTests
{
    [Fact]
    public void Slots_start_at_multiples_of_sixteen_and_the_count_includes_the_padding()
    {
        var layout = Layout();
        Assert.Equal([0, 32, 48], layout.Slots.Select(slot => slot.Offset));
        Assert.Equal([17, 16, 1], layout.Slots.Select(slot => slot.Count));
        Assert.Equal(64, layout.Count);
        Assert.Equal(34, layout.LearnedCount);
    }

    [Fact]
    public void A_slice_is_the_parameter_itself()
    {
        var layout = Layout();
        float[] parameters = [.. Enumerable.Range(0, layout.Count)];
        Assert.Equal(Enumerable.Range(32, 16).Select(i => (float)i), layout.Slice(parameters, "b").ToArray());
        layout.Slice(parameters, "b")[0] = -1;
        Assert.Equal(-1, parameters[32]);
        Assert.Equal(-1, layout.Read(parameters, "b")[0]);
    }

    [Fact]
    public void Layouts_are_equal_if_names_offsets_and_shapes_are()
    {
        Assert.Equal(Layout(), Layout());
        Assert.Equal(Layout().GetHashCode(), Layout().GetHashCode());
        Assert.NotEqual(Layout(), Layout(names: ["a", "b", "d"]));
        Assert.NotEqual(Layout(), Layout(middle: [16]));
    }

    [Fact]
    public void The_description_lists_every_slot() =>
        Assert.Equal("a [17] at 0\nb [4, 4] at 32\nc [] at 48\n34 parameters in 64 floats", Layout().Describe());

    [Fact]
    public void Errors_name_the_parameter()
    {
        Assert.Contains("'x'; there are: a, b, c", Assert.Throws<ArgumentException>(() => Layout()["x"]).Message);
        Assert.Contains("'b' was looked for in 5 floats", Assert.Throws<ArgumentException>(
            () => Layout().Slice(new float[5], "b")).Message);
        Assert.Contains("two parameters named 'a'", Assert.Throws<ArgumentException>(() => Layout(names: ["a", "a", "c"])).Message);
        Assert.Contains("'b' has the shape [4, 0]", Assert.Throws<ArgumentException>(() => Layout(middle: [4, 0])).Message);
    }

    private static ParameterLayout Layout(string[]? names = null, int[]? middle = null)
    {
        var builder = new ParameterLayoutBuilder();
        names ??= ["a", "b", "c"];
        builder.Add(names[0], 17);
        builder.Add(names[1], middle ?? [4, 4]);
        builder.Add(names[2]);
        return builder.Build();
    }
}

using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

public class ObservationDecoderTests
{
    public static MatrixTheoryData<ElementType, int> TypesAndSizes => new(Enum.GetValues<ElementType>(), [1, 7, 8, 9, 15, 16, 17, 33, 400]);

    [Theory]
    [MemberData(nameof(TypesAndSizes))]
    public void Every_size_and_type_decodes_as_the_plain_definition(ElementType type, int size)
    {
        var random = RandomStream.Create(4, StreamRole.Environment);
        var spec = new ObservationSpec(type, size);
        var bytes = TestObservations.Random(spec, 3, ref random);
        var values = new float[3 * size];
        ObservationDecoder.Decode(spec, bytes, 3, values);
        for (var row = 0; row < 3; row++)
        {
            var expected = ReferenceNetwork.Decode(spec, bytes.AsSpan(row * spec.ByteCount, spec.ByteCount));
            for (var i = 0; i < size; i++) Assert.Equal(expected[i], values[row * size + i], 1e-7);
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var spec = new ObservationSpec(ElementType.Bit, 10, 10, 4);
        Assert.Contains("2 observations Bit[10, 10, 4] take 100 bytes, not 99",
            Assert.Throws<ArgumentException>(() => ObservationDecoder.Decode(spec, new byte[99], 2, new float[800])).Message);
        Assert.Throws<ArgumentException>(() => ObservationDecoder.Decode(spec, new byte[100], 2, new float[801]));
    }
}

using System.Numerics;
using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Networks;

/// <summary>Brings each number of an observation to mean 0 and variance 1, by statistics of all that was learned from so far.</summary>
/// <remarks>
/// x becomes (x - mean) / √(variance + 1e-8), within ± 10; with a count of 0 it stays as it is. The statistics lie behind the parameters
/// in the flat vector and go wherever it goes; the learner alone changes them. They are float32: a count stops growing once a batch is less
/// than half its last bit (10¹⁰ observations for batches of 640), and from there on old observations are slowly forgotten.
/// Immutable and thread-safe.
/// </remarks>
public sealed class ObservationNormalizer
{
    /// <summary>The greatest number that a network sees, and the least but for its sign.</summary>
    public const float Bound = 10;

    private const float Epsilon = 1e-8f;

    private readonly ParameterSlot _mean, _variance, _count;

    /// <exception cref="ArgumentException">Observations are no vectors of float32.</exception>
    public ObservationNormalizer(ParameterLayoutBuilder layout, ObservationSpec observation)
    {
        if (observation is not { Type: ElementType.Float32, Shape.Length: 1 })
            throw new ArgumentException(
                $"NormalizeObservations is for vectors of Float32, not for {observation}, whose scale is known: leave it out.",
                nameof(NetworkOptions.NormalizeObservations));
        Size = observation.ElementCount;
        _mean = layout.AddStatistic("observations.mean", Size);
        _variance = layout.AddStatistic("observations.variance", Size);
        _count = layout.AddStatistic("observations.count", 1);
    }

    /// <summary>Numbers in an observation.</summary>
    public int Size { get; }

    /// <summary>Takes what a batch of observations says into the statistics (Chan, Golub and LeVeque 1983).</summary>
    public void Update(Span<float> parameters, ObservationMoments batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Count == 0) return;
        var means = _mean.Of(parameters);
        var variances = _variance.Of(parameters);
        var count = _count.Of(parameters);
        double before = count[0], total = before + batch.Count;
        for (var i = 0; i < Size; i++)
        {
            var delta = batch.Means[i] - means[i];
            variances[i] = (float)((variances[i] * before + batch.Squares[i] + delta * delta * before * batch.Count / total) / total);
            means[i] = (float)(means[i] + delta * batch.Count / total);
        }
        count[0] = (float)total;
    }

    /// <summary>What the network sees of observations [batch × ByteCount]: they themselves, or what it wrote to
    /// <paramref name="normalized"/> [at least batch × Size]. <paramref name="factors"/> [Size] is its own.</summary>
    internal ReadOnlySpan<byte> Normalize(
        ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, Span<float> normalized, Span<float> factors)
    {
        if (_count.Read(parameters)[0] == 0) return observations;
        var values = MemoryMarshal.Cast<byte, float>(observations);
        var means = _mean.Read(parameters);
        var variances = _variance.Read(parameters);
        for (var i = 0; i < Size; i++) factors[i] = 1 / MathF.Sqrt(variances[i] + Epsilon);
        for (var row = 0; row < values.Length; row += Size)
            NormalizeRow(values.Slice(row, Size), means, factors[..Size], normalized.Slice(row, Size));
        return MemoryMarshal.AsBytes(normalized[..values.Length]);
    }

    private static void NormalizeRow(ReadOnlySpan<float> row, ReadOnlySpan<float> means, ReadOnlySpan<float> factors, Span<float> result)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(result);
        var (low, high) = (new Vector<float>(-Bound), new Vector<float>(Bound));
        for (var i = 0; i < vectors.Length; i++)
        {
            var at = i * Vector<float>.Count;
            var value = (new Vector<float>(row[at..]) - new Vector<float>(means[at..])) * new Vector<float>(factors[at..]);
            vectors[i] = Vector.Min(Vector.Max(value, low), high);
        }
        for (var i = vectors.Length * Vector<float>.Count; i < result.Length; i++)
            result[i] = MathF.Min(MathF.Max((row[i] - means[i]) * factors[i], -Bound), Bound);
    }
}

/// <summary>Count, means and squared deviations of observations, collected in pieces and in double precision. Not thread-safe.</summary>
/// <param name="size">Numbers in an observation.</param>
public sealed class ObservationMoments(int size)
{
    private readonly double[] _means = new double[size], _squares = new double[size], _pieceMeans = new double[size],
        _pieceSquares = new double[size];

    /// <summary>Observations so far.</summary>
    public long Count { get; private set; }

    public ReadOnlySpan<double> Means => _means;

    /// <summary>Of each number the sum of (x - mean)².</summary>
    public ReadOnlySpan<double> Squares => _squares;

    public void Clear()
    {
        Count = 0;
        Array.Clear(_means);
        Array.Clear(_squares);
    }

    /// <summary>Adds observations of float32, [rows × size].</summary>
    public void Add(ReadOnlySpan<byte> observations)
    {
        var values = MemoryMarshal.Cast<byte, float>(observations);
        if (values.IsEmpty) return;
        var rows = values.Length / size;
        Array.Clear(_pieceMeans);
        Array.Clear(_pieceSquares);
        for (var row = 0; row < values.Length; row += size)
            for (var i = 0; i < size; i++) _pieceMeans[i] += values[row + i];
        for (var i = 0; i < size; i++) _pieceMeans[i] /= rows;
        for (var row = 0; row < values.Length; row += size)
            for (var i = 0; i < size; i++)
            {
                var deviation = values[row + i] - _pieceMeans[i];
                _pieceSquares[i] += deviation * deviation;
            }
        Merge(rows, _pieceMeans, _pieceSquares);
    }

    /// <summary>Adds what another has collected.</summary>
    public void Add(ObservationMoments other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Count > 0) Merge(other.Count, other._means, other._squares);
    }

    private void Merge(long count, double[] means, double[] squares)
    {
        double before = Count, total = before + count;
        for (var i = 0; i < size; i++)
        {
            var delta = means[i] - _means[i];
            _means[i] += delta * count / total;
            _squares[i] += squares[i] + delta * delta * before * count / total;
        }
        Count += count;
    }
}

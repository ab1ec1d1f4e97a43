using BenchmarkDotNet.Attributes;
using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>Placements scored per second on one core: drop, features of the board after it, and their weighted sum.</summary>
/// <remarks>
/// The boards come from games of the BCTS controller, so that heights, holes and full rows are those of good play. The reported time
/// is that of one placement: 200 ns are 5 million a second.
/// </remarks>
[Config(typeof(ShortInProcess))]
public class TetrisBenchmarks
{
    private const int Boards = 4096, PlacementsPerOperation = 1 << 14;

    private readonly TetrisBoard[] _boards = new TetrisBoard[Boards];
    private readonly TetrisPiece[] _pieces = new TetrisPiece[Boards];
    private readonly float[] _scores = new float[TetrisPieces.MaxPlacements];
    private readonly float[] _bertsekas = [.. Enumerable.Repeat(-1f, 19), -1, -20, 0];

    [GlobalSetup]
    public void Setup()
    {
        var random = RandomStream.Create(1, StreamRole.Environment);
        var board = TetrisBoard.Empty;
        for (var i = 0; i < Boards; i++)
        {
            (_boards[i], _pieces[i]) = (board, (TetrisPiece)random.NextInt32(TetrisPieces.Count));
            var best = TetrisController.Best<BctsFeatures>(board, _pieces[i], BctsFeatures.Weights);
            board.TryDrop(TetrisPieces.Placements(_pieces[i])[best], board.Heights, out board, out _);
        }
    }

    [Benchmark(OperationsPerInvoke = PlacementsPerOperation)]
    public float DropOnly() => ScoreAll<NoFeatures>([]);

    [Benchmark(OperationsPerInvoke = PlacementsPerOperation)]
    public float Bertsekas() => ScoreAll<BertsekasFeatures>(_bertsekas);

    [Benchmark(OperationsPerInvoke = PlacementsPerOperation)]
    public float Dellacherie() => ScoreAll<DellacherieFeatures>(DellacherieFeatures.Weights);

    [Benchmark(OperationsPerInvoke = PlacementsPerOperation)]
    public float Bcts() => ScoreAll<BctsFeatures>(BctsFeatures.Weights);

    private float ScoreAll<TFeatures>(ReadOnlySpan<float> weights) where TFeatures : struct, ITetrisFeatures
    {
        var done = 0;
        for (var i = 0; done < PlacementsPerOperation; i = (i + 1) % Boards)
        {
            TetrisController.Score<TFeatures>(_boards[i], _pieces[i], weights, _scores);
            done += TetrisPieces.Placements(_pieces[i]).Length;
        }
        return _scores[0];
    }

    /// <summary>What the drop alone takes.</summary>
    private readonly struct NoFeatures : ITetrisFeatures
    {
        public static int Count => 0;

        public static void Write(in TetrisBoard after, in TetrisMove move, Span<float> features)
        {
        }
    }
}

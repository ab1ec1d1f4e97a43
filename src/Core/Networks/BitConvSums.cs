using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Networks;

/// <summary>The forward pass of a <see cref="BitConv"/> on one image: every output is the bias and nine table entries
/// a group, then ReLU.</summary>
/// <remarks>codes [pixel][group] are places in the table [kernel row][group][value][kernel column][16]; the order of the
/// additions is the same for each vector width. Eight outputs of a row are summed at once, in registers.</remarks>
internal sealed class BitConvSums(int height, int width, int groups)
{
    private const int Kernel = BitConv.Kernel;
    private const int Filters = BitConv.Filters;
    private const int GroupTable = BitConv.GroupTable;
    private const int Strip = 8;

    private readonly int _outputHeight = height - Kernel + 1;
    private readonly int _outputWidth = width - Kernel + 1;
    private readonly int _width = width;
    private readonly int _groups = groups;

    /// <summary>Writes output [height - 2, width - 2, 16].</summary>
    public void Write(ReadOnlySpan<ushort> codes, ReadOnlySpan<float> table, ReadOnlySpan<float> bias, Span<float> output)
    {
        if (Vector512.IsHardwareAccelerated) WriteLanes<SixteenLanes>(codes, table, bias, output);
        else if (Vector256.IsHardwareAccelerated) WriteLanes<EightLanes>(codes, table, bias, output);
        else WriteLanes<FourLanes>(codes, table, bias, output);
    }

    internal void WriteLanes<T>(ReadOnlySpan<ushort> codes, ReadOnlySpan<float> table, ReadOnlySpan<float> bias, Span<float> output)
        where T : ILanes<T>
    {
        for (var lane = 0; lane < Filters; lane += T.Count)
        {
            var start = T.Load(ref MemoryMarshal.GetReference(bias), (nuint)lane);
            ref var entries = ref Unsafe.Add(ref MemoryMarshal.GetReference(table), lane);
            ref var target = ref Unsafe.Add(ref MemoryMarshal.GetReference(output), lane);
            for (var y = 0; y < _outputHeight; y++)
            {
                ref var window = ref Unsafe.Add(ref MemoryMarshal.GetReference(codes), y * _width * _groups);
                var x = 0;
                for (; x <= _outputWidth - Strip; x += Strip)
                {
                    SumStrip(ref window, ref entries, start, ref target);
                    target = ref Unsafe.Add(ref target, Strip * Filters);
                    window = ref Unsafe.Add(ref window, Strip * _groups);
                }
                for (; x < _outputWidth; x++)
                {
                    SumOne(ref window, ref entries, start, ref target);
                    target = ref Unsafe.Add(ref target, Filters);
                    window = ref Unsafe.Add(ref window, _groups);
                }
            }
        }
    }

    private void SumOne<T>(ref ushort window, ref float entries, T sum, ref float target)
        where T : ILanes<T>
    {
        for (var ky = 0; ky < Kernel; ky++)
        {
            for (var group = 0; group < _groups; group++)
            {
                for (var kx = 0; kx < Kernel; kx++)
                {
                    ref var entry = ref Unsafe.Add(ref entries, Unsafe.Add(ref window, (ky * _width + kx) * _groups + group));
                    sum += T.Load(ref entry, (nuint)(kx * Filters));
                }
                entries = ref Unsafe.Add(ref entries, GroupTable);
            }
        }
        sum.StoreRectified(ref target, 0);
    }

    /// <summary>Eight neighbouring outputs see ten columns of pixels; each pixel's entry is read once for the up to three outputs that see
    /// it.</summary>
    private void SumStrip<T>(ref ushort window, ref float entries, T bias, ref float target)
        where T : ILanes<T>
    {
        T s0 = bias, s1 = bias, s2 = bias, s3 = bias, s4 = bias, s5 = bias, s6 = bias, s7 = bias;
        var pixel = (nuint)_groups;
        for (var ky = 0; ky < Kernel; ky++)
        {
            ref var code = ref Unsafe.Add(ref window, ky * _width * _groups);
            for (var group = 0; group < _groups; group++)
            {
                ref var first = ref Unsafe.Add(ref entries, code);
                s0 += T.Load(ref first, 0);
                ref var second = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, pixel));
                s0 += T.Load(ref second, Filters);
                s1 += T.Load(ref second, 0);
                ref var third = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 2 * pixel));
                s0 += T.Load(ref third, 2 * Filters);
                s1 += T.Load(ref third, Filters);
                s2 += T.Load(ref third, 0);
                ref var fourth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 3 * pixel));
                s1 += T.Load(ref fourth, 2 * Filters);
                s2 += T.Load(ref fourth, Filters);
                s3 += T.Load(ref fourth, 0);
                ref var fifth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 4 * pixel));
                s2 += T.Load(ref fifth, 2 * Filters);
                s3 += T.Load(ref fifth, Filters);
                s4 += T.Load(ref fifth, 0);
                ref var sixth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 5 * pixel));
                s3 += T.Load(ref sixth, 2 * Filters);
                s4 += T.Load(ref sixth, Filters);
                s5 += T.Load(ref sixth, 0);
                ref var seventh = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 6 * pixel));
                s4 += T.Load(ref seventh, 2 * Filters);
                s5 += T.Load(ref seventh, Filters);
                s6 += T.Load(ref seventh, 0);
                ref var eighth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 7 * pixel));
                s5 += T.Load(ref eighth, 2 * Filters);
                s6 += T.Load(ref eighth, Filters);
                s7 += T.Load(ref eighth, 0);
                ref var ninth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 8 * pixel));
                s6 += T.Load(ref ninth, 2 * Filters);
                s7 += T.Load(ref ninth, Filters);
                ref var tenth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 9 * pixel));
                s7 += T.Load(ref tenth, 2 * Filters);
                entries = ref Unsafe.Add(ref entries, GroupTable);
                code = ref Unsafe.Add(ref code, 1);
            }
        }
        s0.StoreRectified(ref target, 0);
        s1.StoreRectified(ref target, Filters);
        s2.StoreRectified(ref target, 2 * Filters);
        s3.StoreRectified(ref target, 3 * Filters);
        s4.StoreRectified(ref target, 4 * Filters);
        s5.StoreRectified(ref target, 5 * Filters);
        s6.StoreRectified(ref target, 6 * Filters);
        s7.StoreRectified(ref target, 7 * Filters);
    }
}

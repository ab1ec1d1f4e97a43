namespace Rl.Distributed.Node.Pictures;

/// <summary>Packs the pixels of a GIF's image: variable-length LZW over 8-bit pixels, in blocks of at most 255 bytes.</summary>
/// <remarks>
/// GIF89a, appendix F. A code stands for a run of pixels; the table of runs is a tree in arrays: a code's first child, its next sibling,
/// its last pixel. When all 4096 codes are used the table starts anew.
/// </remarks>
internal sealed class LzwEncoder
{
    private const int PixelBits = 8, ClearCode = 1 << PixelBits, EndCode = ClearCode + 1, FirstCode = EndCode + 1, MaxCodes = 4096;
    private const int MaxBlock = 255;

    private readonly short[] _firstChild = new short[MaxCodes], _sibling = new short[MaxCodes];
    private readonly byte[] _lastPixel = new byte[MaxCodes];
    private readonly byte[] _block = new byte[MaxBlock];
    private int _codes, _codeBits, _waiting, _waitingBits, _blockLength;

    /// <summary>Writes the code size, the packed pixels, of which there is at least one, and the end of the blocks.</summary>
    public void Write(ReadOnlySpan<byte> pixels, Stream output)
    {
        output.WriteByte(PixelBits);
        StartTable(output);
        int run = pixels[0];
        foreach (var pixel in pixels[1..])
        {
            var longer = Find(run, pixel);
            if (longer == 0)
            {
                Put(run, output);
                if (_codes == MaxCodes) StartTable(output);
                else Add(run, pixel);
                longer = pixel;
            }
            run = longer;
        }
        Put(run, output);
        Widen();
        Put(EndCode, output);
        Flush(output);
        output.WriteByte(0);
    }

    private void StartTable(Stream output)
    {
        if (_codes == 0) _codeBits = PixelBits + 1;
        Put(ClearCode, output);
        Array.Clear(_firstChild);
        (_codes, _codeBits) = (FirstCode, PixelBits + 1);
    }

    /// <summary>The code of a run and one pixel more; 0 where it has none.</summary>
    private int Find(int run, byte pixel)
    {
        int code = _firstChild[run];
        while (code != 0 && _lastPixel[code] != pixel) code = _sibling[code];
        return code;
    }

    private void Add(int run, byte pixel)
    {
        Widen();
        (_sibling[_codes], _lastPixel[_codes]) = (_firstChild[run], pixel);
        _firstChild[run] = (short)_codes++;
    }

    /// <summary>Codes are written one bit wider from the one on that could name the next run of the table.</summary>
    private void Widen()
    {
        if (_codes == 1 << _codeBits && _codes < MaxCodes) _codeBits++;
    }

    private void Put(int code, Stream output)
    {
        _waiting |= code << _waitingBits;
        _waitingBits += _codeBits;
        for (; _waitingBits >= 8; _waitingBits -= 8, _waiting >>= 8) PutByte((byte)_waiting, output);
    }

    private void PutByte(byte value, Stream output)
    {
        _block[_blockLength++] = value;
        if (_blockLength == MaxBlock) WriteBlock(output);
    }

    private void Flush(Stream output)
    {
        if (_waitingBits > 0) PutByte((byte)_waiting, output);
        if (_blockLength > 0) WriteBlock(output);
        (_waiting, _waitingBits, _codes) = (0, 0, 0);
    }

    private void WriteBlock(Stream output)
    {
        output.WriteByte((byte)_blockLength);
        output.Write(_block.AsSpan(0, _blockLength));
        _blockLength = 0;
    }
}

using System.Diagnostics;

namespace Rl.Distributed.Core.Tests.Checkpoints;

/// <summary>Another program reads our files by the format's description alone.</summary>
public sealed class SafetensorsInPythonTests
{
    private const string Reader = """
        import hashlib, json, struct, sys
        raw = open(sys.argv[1], 'rb').read()
        n = struct.unpack('<Q', raw[:8])[0]
        header, data = json.loads(raw[8:8 + n].decode('utf-8')), raw[8 + n:]
        metadata = header.pop('__metadata__')
        end = 0
        for name, entry in sorted(header.items(), key=lambda item: item[1]['data_offsets']):
            begin, stop = entry['data_offsets']
            assert begin == end, name
            code = {'F32': 'f', 'U64': 'Q', 'I64': 'q'}[entry['dtype']]
            count = 1
            for size in entry['shape']: count *= size
            values = struct.unpack('<%d%s' % (count, code), data[begin:stop])
            print(name, entry['shape'], values)
            end = stop
        assert end == len(data)
        digits = metadata['checksum'].split(':')[1].encode()
        print(metadata['format'], metadata['formatVersion'], hashlib.sha256(raw[8:].replace(digits, b'0' * 64)).hexdigest().encode() == digits)
        """;

    [Fact]
    public void Python_reads_the_same_numbers()
    {
        var directory = Directory.CreateTempSubdirectory("rl-tests-");
        try
        {
            var (script, file) = (Path.Combine(directory.FullName, "reader.py"), Path.Combine(directory.FullName, "sample.safetensors"));
            File.WriteAllText(script, Reader);
            File.WriteAllBytes(file, SafetensorsTests.Written());
            var output = Run(script, file);
            Assert.Contains("counter [] (18446744073709551615,)", output);
            Assert.Contains("ledger [2, 1] (-9223372036854775808, 7)", output);
            Assert.Contains("nothing [0, 4] ()", output);
            Assert.Contains("parameters [2, 3] (1.5, -2.0, 0.0, ", output);
            Assert.Contains("rl.distributed.checkpoint 1 True", output);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string Run(string script, string file)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("python3", [script, file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("python3 is not installed.");
            throw;
        }
        using (process)
        {
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error.GetAwaiter().GetResult());
            return output;
        }
    }
}

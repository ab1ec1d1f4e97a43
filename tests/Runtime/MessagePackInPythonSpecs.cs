using System.Diagnostics;
using System.Globalization;
using System.Text;
using MessagePack;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Another implementation of the format, Debian's python3-msgpack, writes and reads the same bytes.</summary>
public sealed class MessagePackInPythonSpecs
{
    private const string Check = """
        import msgpack, struct, sys
        hexed = bytes.fromhex
        make = {
            'nil': lambda text: None,
            'bool': lambda text: text == 'True',
            'int': int,
            'single': lambda text: struct.unpack('>f', hexed(text))[0],
            'double': lambda text: struct.unpack('>d', hexed(text))[0],
            'str': lambda text: hexed(text).decode('utf-8'),
            'bin': hexed,
            'array': lambda text: [1] * int(text),
            'map': lambda text: {number: True for number in range(int(text))},
        }
        count = 0
        for line in open(sys.argv[1]):
            kind, text, ours = line.rstrip('\n').split(' ')
            value, ours = make[kind](text), hexed(ours)
            theirs = msgpack.packb(value, use_bin_type=True, use_single_float=kind == 'single')
            assert theirs == ours, (kind, text[:40], theirs[:20].hex(), ours[:20].hex())
            back = msgpack.unpackb(ours, strict_map_key=False, raw=False)
            assert back == value and type(back) is type(value), (kind, text[:40])
            count += 1
        print(count)
        """;

    [Fact]
    public void Python_packs_the_same_bytes_and_unpacks_the_same_values()
    {
        var python = new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(each => Run(each, "-c", "import msgpack").Code == 0);
        if (python is null) Assert.Skip("python3-msgpack is not installed.");
        var lines = Lines().ToList();
        var directory = Directory.CreateTempSubdirectory("rl-tests-");
        try
        {
            var (script, file) = (Path.Combine(directory.FullName, "check.py"), Path.Combine(directory.FullName, "values.txt"));
            File.WriteAllText(script, Check);
            File.WriteAllLines(file, lines);
            var (code, output) = Run(python, script, file);
            Assert.True(code == 0, output);
            Assert.Equal(lines.Count.ToString(CultureInfo.InvariantCulture), output.Trim());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Lines()
    {
        int[] lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536];
        yield return Line("nil", "-", (ref MessagePackWriter writer) => writer.WriteNil());
        yield return Line("bool", "True", (ref MessagePackWriter writer) => writer.Write(true));
        yield return Line("bool", "False", (ref MessagePackWriter writer) => writer.Write(false));
        foreach (var value in MessagePackValues.IntegerEdges)
            yield return Line("int", value.ToString(CultureInfo.InvariantCulture), (ref MessagePackWriter writer) =>
            {
                if (value < 0) writer.Write((long)value);
                else writer.Write((ulong)value);
            });
        foreach (var value in new[] { 0, -0.0f, 1.5f, float.MaxValue, float.Epsilon, float.NegativeInfinity })
        {
            yield return Line("single", $"{BitConverter.SingleToUInt32Bits(value):x8}", (ref MessagePackWriter writer) =>
                writer.Write(value));
            yield return Line("double", $"{BitConverter.DoubleToUInt64Bits(value):x16}", (ref MessagePackWriter writer) =>
                writer.Write((double)value));
        }
        foreach (var length in lengths)
        {
            var text = new string('a', length);
            yield return Line("str", Hex(text), (ref MessagePackWriter writer) => writer.Write(text));
            yield return Line("bin", Hex(text), (ref MessagePackWriter writer) => writer.Write(Encoding.UTF8.GetBytes(text)));
            yield return Line("array", $"{length}", (ref MessagePackWriter writer) =>
            {
                writer.WriteArrayHeader(length);
                for (var i = 0; i < length; i++) writer.Write(1);
            });
            yield return Line("map", $"{length}", (ref MessagePackWriter writer) =>
            {
                writer.WriteMapHeader(length);
                for (var i = 0; i < length; i++)
                {
                    writer.Write(i);
                    writer.Write(true);
                }
            });
        }
        yield return Line("str", Hex("Grüße, 世界 🚀"), (ref MessagePackWriter writer) => writer.Write("Grüße, 世界 🚀"));
    }

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));

    private static string Line(string kind, string value, MessagePackValues.Writing write) =>
        $"{kind} {value} {Convert.ToHexStringLower(MessagePackValues.Bytes(write))}";

    private static (int Code, string Output) Run(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return (-1, missing.Message);
        }
    }
}

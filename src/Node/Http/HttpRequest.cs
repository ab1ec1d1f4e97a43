using System.Text;

namespace Rl.Distributed.Node.Http;

/// <summary>What a request's head says, as far as a server of small pages has to know.</summary>
/// <param name="Method">GET, HEAD, or whatever word the client sent.</param>
/// <param name="Path">Begins with a slash; what follows a question mark is left out.</param>
internal sealed record HttpRequest(string Method, string Path)
{
    private const string TokenSigns = "!#$%&'*+-.^_`|~";

    /// <summary>Where the head ends, the empty line included; -1 while it has not.</summary>
    public static int HeadLength(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        return end < 0 ? -1 : end + 4;
    }

    /// <summary>Reads a whole head, strictly by RFC 9112. Null where it breaks the rules; <paramref name="refusal"/> is then
    /// the status to answer with.</summary>
    public static HttpRequest? Parse(ReadOnlySpan<byte> head, out int refusal)
    {
        refusal = 400;
        foreach (var octet in head)
        {
            if (octet is (< 0x20 or > 0x7e) and not ((byte)'\r' or (byte)'\n' or (byte)'\t')) return null;
        }
        var lines = Encoding.ASCII.GetString(head[..^4]).Split("\r\n");
        if (lines.Any(line => line.AsSpan().IndexOfAny('\r', '\n') >= 0)) return null;

        var words = lines[0].Split(' ');
        if (words.Length != 3 || !IsToken(words[0]) || !words[1].StartsWith('/') || words[1].Contains('\t')) return null;
        if (words[2] is not ("HTTP/1.1" or "HTTP/1.0"))
        {
            if (words[2].StartsWith("HTTP/", StringComparison.Ordinal)) refusal = 505;
            return null;
        }
        var hosts = 0;
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':');
            if (colon < 0 || !IsToken(line[..colon])) return null;
            if (line.AsSpan(0, colon).Equals("Host", StringComparison.OrdinalIgnoreCase)) hosts++;
        }
        if (hosts > 1 || (hosts == 0 && words[2] == "HTTP/1.1")) return null;
        var query = words[1].IndexOf('?');
        return new HttpRequest(words[0], query < 0 ? words[1] : words[1][..query]);
    }

    private static bool IsToken(string text) =>
        text.Length > 0 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || TokenSigns.Contains(letter));
}

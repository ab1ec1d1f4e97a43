using System.Globalization;
using System.Text;

namespace Rl.Distributed.Node.Http;

/// <summary>An answer, before it is bytes.</summary>
internal sealed record HttpReply(int Status, string ContentType, byte[] Body)
{
    private const string PlainText = "text/plain; charset=utf-8";

    /// <summary>The methods that the address knows; only with status 405.</summary>
    public string? Allow { get; init; }

    public static HttpReply Text(int status, string text) => new(status, PlainText, Encoding.UTF8.GetBytes($"{text}\n"));

    /// <summary>The whole answer; <paramref name="withBody"/> is false for HEAD. The connection ends with it.</summary>
    public byte[] ToBytes(bool withBody)
    {
        var head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {Status} {Reason(Status)}\r\nDate: {DateTime.UtcNow:R}\r\nContent-Length: {Body.Length}\r\n")
            + $"Content-Type: {ContentType}\r\n"
            + (Allow is null ? "" : $"Allow: {Allow}\r\n")
            + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
        byte[] first = Encoding.ASCII.GetBytes(head);
        return withBody ? [.. first, .. Body] : first;
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    };
}

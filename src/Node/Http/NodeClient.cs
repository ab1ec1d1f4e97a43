using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;

namespace Rl.Distributed.Node.Http;

/// <summary>Asks nodes for their pages.</summary>
internal sealed class NodeClient : IDisposable
{
    private const int MaxAnswerBytes = 4 * 1024 * 1024;

    // A node is asked directly, whatever proxy the environment names.
    private readonly HttpClient _client;

    public NodeClient(TimeSpan patience) => _client =
        new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
        {
            Timeout = patience,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };

    /// <exception cref="CommandFailedException">There is no node, or none that answers; the message says which of it.</exception>
    public Task<NodeStatus> ReadStatusAsync(HostPort node, CancellationToken cancellationToken) =>
        ReadAsync(node, "cluster", NodeJson.Default.NodeStatus, cancellationToken);

    /// <summary>A node that is not well says so in an answer like any other.</summary>
    /// <exception cref="CommandFailedException">There is no node, or none that answers; the message says which of it.</exception>
    public Task<HealthPage> ReadHealthAsync(HostPort node, CancellationToken cancellationToken) =>
        ReadAsync(node, "health", NodeJson.Default.HealthPage, cancellationToken);

    private async Task<T> ReadAsync<T>(HostPort node, string page, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _client.GetAsync(new Uri($"http://{node}/{page}"), cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (response.StatusCode == HttpStatusCode.InternalServerError)
                throw new CommandFailedException($"{node}: the node failed to answer. Its log says more.");
            return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable
                && JsonSerializer.Deserialize(body, type) is { } answer
                ? answer
                : throw NotANode(node, null);
        }
        catch (JsonException e)
        {
            throw NotANode(node, e);
        }
        catch (HttpRequestException e)
        {
            throw e switch
            {
                { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => new CommandFailedException(
                    $"{node}: nothing listens there (connection refused). Is the node running, and is this what its --http says?", e),
                { HttpRequestError: HttpRequestError.NameResolutionError } => new CommandFailedException(
                    $"{node}: there is no machine of this name.", e),
                { HttpRequestError: HttpRequestError.ConnectionError } => new CommandFailedException(
                    $"{node}: no connection: {e.Message}", e),
                _ => NotANode(node, e),
            };
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandFailedException($"{node}: no answer within {_client.Timeout.TotalSeconds:0.#} seconds.", e);
        }
    }

    public void Dispose() => _client.Dispose();

    private static CommandFailedException NotANode(HostPort node, Exception? inner) => new(
        $"{node}: what listens there is not a node of this program, or one of another version. "
        + "A node's --http says where it listens.", inner);
}

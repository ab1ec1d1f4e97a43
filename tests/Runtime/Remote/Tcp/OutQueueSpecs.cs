using System.Buffers;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>What waits for a peer, by itself.</summary>
public sealed class OutQueueSpecs
{
    [Fact]
    public void Nothing_is_left_on_the_account_when_all_has_left_over_several_connections()
    {
        var queue = new OutQueue();
        for (var connection = 0; connection < 3; connection++)
        {
            Add(queue);
            queue.Begin();
            Assert.True(queue.Bytes > 0);
            Leave(queue);
            Assert.Equal(0, queue.Bytes);
        }
    }

    private static void Add(OutQueue queue)
    {
        var body = MessageEncoder.OfThread;
        body.Write(new byte[100]);
        queue.Add(new Outbound("/user/to", "/user/from", null, IsSystem: false), 7, body);
        body.Clear();
    }

    private static void Leave(OutQueue queue)
    {
        var batch = new Batch();
        while (queue.HasWork)
        {
            queue.Take(batch, Frame.FragmentBytes);
            queue.Recycle(batch);
        }
    }
}

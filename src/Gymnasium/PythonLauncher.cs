using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Rl.Distributed.Gymnasium;

/// <summary>Starts processes from a thread that lives as long as this process.</summary>
/// <remarks>
/// On Linux the processes ask to be killed with their parent, and the kernel means by that the thread that started them: one of a pool, or
/// a worker's, may end earlier. Thread-safe.
/// </remarks>
internal static class PythonLauncher
{
    private static readonly BlockingCollection<Order> Orders = Begin();

    public static Process Start(ProcessStartInfo info)
    {
        var order = new Order(info);
        Orders.Add(order);
        order.Done.Wait();
        order.Failure?.Throw();
        return order.Process!;
    }

    private static BlockingCollection<Order> Begin()
    {
        var orders = new BlockingCollection<Order>();
        new Thread(() => Run(orders), 256 * 1024) { IsBackground = true, Name = "python-launcher" }.Start();
        return orders;
    }

    private static void Run(BlockingCollection<Order> orders)
    {
        foreach (var order in orders.GetConsumingEnumerable())
        {
            try
            {
                order.Process = Process.Start(order.Info);
            }
            catch (Exception e)
            {
                order.Failure = ExceptionDispatchInfo.Capture(e);
            }
            order.Done.Set();
        }
    }

    private sealed class Order(ProcessStartInfo info)
    {
        public ProcessStartInfo Info { get; } = info;

        public ManualResetEventSlim Done { get; } = new();

        public Process? Process { get; set; }

        public ExceptionDispatchInfo? Failure { get; set; }
    }
}

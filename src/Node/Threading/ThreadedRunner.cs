using Rl.Distributed.Core.Numerics;
namespace Rl.Distributed.Node.Threading;
public sealed class ThreadedRunner(int degree) : IParallelRunner, IDisposable { public int Degree => degree; public void Run(int count, Action<int> body) => Parallel.For(0, count, body); public void Dispose() { } }

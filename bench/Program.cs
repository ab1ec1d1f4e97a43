using BenchmarkDotNet.Running;
using Rl.Distributed.Bench;
using Rl.Distributed.Bench.Async;
using Rl.Distributed.Bench.Processes;
using Rl.Distributed.Bench.Remote;

// dotnet run -c Release --project bench -- --filter '*Gemm*'
// dotnet run -c Release --project bench -- remote      two processes, beside raw sockets
// dotnet run -c Release --project bench -- cluster     runs over several processes, beside one
// dotnet run -c Release --project bench -- gymnasium   the bridge to Python, beside Python's own vector of environments
// dotnet run -c Release --project bench -- async       learners that share memory, on plain threads: AsyncArguments says what follows
switch (args)
{
    case ["gymnasium", .. var words]:
        GymnasiumBench.Run(words);
        break;
    case ["async", .. var learning]:
        AsyncBench.Run(learning);
        break;
    case ["remote", .. var names]:
        RemoteBench.Run(names);
        break;
    case ["cluster", .. var more]:
        NodesBench.Run(more);
        break;
    case [RemotePeer.Argument, .. var files]:
        RemotePeer.Run(files);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}

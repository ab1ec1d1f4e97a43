using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench -- --filter '*Gemm*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);

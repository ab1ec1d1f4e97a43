using BenchmarkDotNet.Running;

// Of an akka build: what measures the embedded engine is not in it.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);

using BenchmarkDotNet.Attributes;
using Moat.Kernel.Memory;
using Moat.Linux;

namespace Moat.Benchmarks;

/// <summary>Copying between kernel and application memory.</summary>
public class CopyBenchmarks
{
    private readonly BenchKernel _kernel = new();
    private byte[] _buffer = [];

    /// <summary>Bytes of a copy.</summary>
    [Params(8, 4096, 65536)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup() => _buffer = new byte[Bytes];

    [Benchmark]
    public Errno CopyIn() => _kernel.Task.Memory.CopyIn(_kernel.Memory + 100, _buffer);

    [Benchmark]
    public Errno CopyOut() => _kernel.Task.Memory.CopyOut(_kernel.Memory + 100, _buffer);
}

using BenchmarkDotNet.Attributes;
using Moat.Linux;

namespace Moat.Benchmarks;

/// <summary>System calls from the dispatcher on, without a platform.</summary>
public class DispatchBenchmarks
{
    private readonly BenchKernel _kernel = new();
    private ulong _file;
    private ulong _path;

    [GlobalSetup]
    public void Setup()
    {
        const ulong CreateReadWrite = 0x42; // O_CREAT | O_RDWR
        _path = _kernel.Text("/file", 4096);
        _file = (ulong)_kernel.Call(SyscallNumber.open, _path, CreateReadWrite, 0x1b6);
        _kernel.Call(SyscallNumber.write, _file, _kernel.Memory.Value, 4096);
    }

    [Benchmark]
    public long Getpid() => _kernel.Call(SyscallNumber.getpid);

    [Benchmark]
    public long Lseek() => _kernel.Call(SyscallNumber.lseek, _file, 0, 0);

    [Benchmark]
    public long Pread100() => _kernel.Call(SyscallNumber.pread64, _file, _kernel.Memory.Value, 100);

    [Benchmark]
    public long Stat() => _kernel.Call(SyscallNumber.stat, _path, _kernel.Memory.Value);

    [Benchmark]
    public long OpenClose() => _kernel.Call(SyscallNumber.close, (ulong)_kernel.Call(SyscallNumber.open, _path));
}

using BenchmarkDotNet.Attributes;
using Moat.Kernel.Memory;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Benchmarks;

/// <summary>The map of an address space with many mappings: finding one by an address, and mapping and unmapping between others.</summary>
public class MappingSetBenchmarks
{
    private const ulong PageSize = 4096;

    private readonly BenchKernel _kernel = new();
    private ulong _first;
    private ulong _at;

    /// <summary>How many mappings there are.</summary>
    [Params(10, 1000)]
    public int Mappings { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        // Neighbours differ in their access, so that they stay apart.
        _first = Map(0, (ulong)Mappings * PageSize, MemoryAccess.Read, isFixed: false);
        for (int i = 0; i < Mappings; i += 2)
        {
            Map(_first + ((ulong)i * PageSize), PageSize, MemoryAccess.Read | MemoryAccess.Write, isFixed: true);
        }
    }

    [Benchmark]
    public bool Find()
    {
        _at = (_at + (7919 * PageSize)) % ((ulong)Mappings * PageSize);
        return _kernel.Task.Memory.Read(new GuestAddress(_first + _at), out byte _) == Errno.None;
    }

    [Benchmark]
    public Errno MapAndUnmap() => _kernel.Task.Memory.Unmap(Map(0, 16 * PageSize, MemoryAccess.Read | MemoryAccess.Write, isFixed: false), 16 * PageSize);

    private ulong Map(ulong address, ulong length, MemoryAccess access, bool isFixed) =>
        _kernel.Task.Memory.Map(new MapRequest { Address = address, Length = length, Access = access, IsFixed = isFixed }).Value.Value;
}

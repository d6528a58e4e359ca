using Moat.Host;
using Moat.Linux;
using Moat.Platform.Ptrace.Amd64;

namespace Moat.Platform.Ptrace;

/// <summary>The memory at the top of every stub: code, the seccomp program, a page with orders, and the host's vDSO. It lies at the same address in the Sentry, from which the first stub inherits it,
/// and everything an application may use lies below.</summary>
internal sealed unsafe class StubRegion : IDisposable
{
    private const nuint PageSize = 4096;
    private const nuint CodeSize = PageSize;
    private const nuint FilterSize = PageSize;
    private const nuint InheritedSize = CodeSize + FilterSize + PageSize;
    private const nuint VdsoOffset = 0x100000;
    private const nuint Size = 2 * VdsoOffset;

    private readonly nint _start;
    private readonly HostVdso? _vdso = HostVdso.Find();

    /// <summary>Maps the region and assembles the code.</summary>
    /// <exception cref="InvalidOperationException">The host has no place for it.</exception>
    public StubRegion()
    {
        _start = StubPlace.Reserve(Size);
        StubFilter.Create(Start, Start + CodeSize).WriteTo(new Span<byte>((byte*)_start + CodeSize, (int)FilterSize), Start + CodeSize);
        StubPlace.Check(HostMemory.Unmap(_start + (nint)InheritedSize, Size - InheritedSize), "stub region");
        Code = StubCode.Assemble(Start, Start + InheritedSize, Start + CodeSize, _vdso, Start + VdsoOffset);
        Code.Bytes.CopyTo(new Span<byte>((void*)_start, (int)CodeSize));
        StubPlace.Check(HostMemory.Protect(_start, CodeSize, HostMemory.ProtRead | HostMemory.ProtExec), "stub region");
        StubPlace.Check(HostMemory.Protect(_start + (nint)CodeSize, FilterSize, HostMemory.ProtRead), "stub region");
    }

    /// <summary>Where it starts: the end of what applications may use.</summary>
    public ulong Start => (ulong)_start;

    /// <summary>Where a stub sees its page of orders, read-only.</summary>
    public ulong Orders => Start + CodeSize + FilterSize;

    /// <summary>The code in it.</summary>
    public StubCode Code { get; }

    /// <summary>The address of a function of the host's vDSO in every stub; 0 if there is none.</summary>
    public ulong FindHostFunction(string name) => _vdso?.FindMovedFunction(name, Start + VdsoOffset) ?? 0;

    /// <summary>Makes the first stub.</summary>
    /// <returns>Its pid; it is parked.</returns>
    public Result<int> SpawnFirst() => StubPlace.SpawnFirst(Code.Spawn);

    /// <inheritdoc/>
    public void Dispose() => HostMemory.Unmap(_start, InheritedSize);
}

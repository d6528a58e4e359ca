using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Moat.Host;
using Moat.Linux;
using Moat.Platform.Ptrace.Amd64;

namespace Moat.Platform.Ptrace;

/// <summary>The memory at the top of every stub: code, the seccomp program, and a page with orders. It lies at the same address in the Sentry, from which the first stub inherits it,
/// and everything an application may use lies below.</summary>
internal sealed unsafe class StubRegion : IDisposable
{
    private const nuint PageSize = 4096;
    private const nuint CodeSize = PageSize;
    private const nuint FilterSize = PageSize;
    private const nuint Size = CodeSize + FilterSize + PageSize;

    private readonly nint _start;

    /// <summary>Maps the region and assembles the code.</summary>
    /// <exception cref="InvalidOperationException">The host has no place for it.</exception>
    public StubRegion()
    {
        _start = Reserve();
        byte[] filter = StubFilter.Program;

        // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
        Span<byte> program = new(FilterPointer, (int)FilterSize);
        BinaryPrimitives.WriteUInt16LittleEndian(program, (ushort)(filter.Length / 8));
        BinaryPrimitives.WriteUInt64LittleEndian(program[8..], Start + CodeSize + 16);
        filter.CopyTo(program[16..]);

        Code = StubCode.Assemble(Start, Start, End, Start + CodeSize);
        Code.Bytes.CopyTo(new Span<byte>((void*)_start, (int)CodeSize));
        Check(HostMemory.Protect(_start, CodeSize, HostMemory.ProtRead | HostMemory.ProtExec));
        Check(HostMemory.Protect(_start + (nint)CodeSize, FilterSize, HostMemory.ProtRead));
    }

    /// <summary>Where it starts: the end of what applications may use.</summary>
    public ulong Start => (ulong)_start;

    /// <summary>Its end.</summary>
    public ulong End => Start + Size;

    /// <summary>Where a stub sees its page of orders, read-only.</summary>
    public ulong Orders => Start + CodeSize + FilterSize;

    /// <summary>The code in it.</summary>
    public StubCode Code { get; }

    private byte* FilterPointer => (byte*)_start + CodeSize;

    /// <summary>Makes the first stub.</summary>
    /// <returns>Its pid; it is parked.</returns>
    public Result<int> SpawnFirst()
    {
        const int StackSize = 4096;
        byte* stack = (byte*)NativeMemory.AlignedAlloc(StackSize, 16);
        int pid = 0;

        // SAFETY: Spawn is code of ours with this signature. The child it makes shares our memory, runs on this stack, and has ended or let go of it when the call
        // returns (CLONE_VFORK).
        delegate* unmanaged<byte*, int*, int> spawn = (delegate* unmanaged<byte*, int*, int>)Code.Spawn;
        int middle = spawn(stack + StackSize, &pid);
        NativeMemory.AlignedFree(stack);
        if (middle < 0)
        {
            return (Errno)(-middle);
        }

        _ = Host.Process.WaitStatus.WaitFor(middle);
        return pid < 0 ? (Errno)(-pid) : pid;
    }

    /// <inheritdoc/>
    public void Dispose() => HostMemory.Unmap(_start, Size);

    // The region is as high as the kernel's own things (stack, vDSO) leave room.
    private static nint Reserve()
    {
        for (ulong candidate = 0x7ffe_0000_0000; candidate > 0x7000_0000_0000; candidate -= 0x1_0000_0000)
        {
            Result<nint> mapped = HostMemory.Map(
                (nint)candidate, Size, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapFixedNoReplace);
            if (mapped.TryGet(out nint address, out _))
            {
                if (address == (nint)candidate)
                {
                    return address;
                }

                HostMemory.Unmap(address, Size);
            }
        }

        throw new InvalidOperationException("no room for the stub region in the address space");
    }

    private static void Check(Errno errno)
    {
        if (errno != Errno.None)
        {
            throw new InvalidOperationException($"stub region: {errno}");
        }
    }
}

using System.Runtime.InteropServices;
using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>Finds room at the top of the address space for what a platform needs in every stub: the same addresses in the Sentry, from which the first stub inherits it, and everything
/// an application may use lies below.</summary>
public static unsafe class StubPlace
{
    /// <summary>The first address that no process of the host uses.</summary>
    public const ulong TaskSize = 0x7ffffffff000;

    /// <summary>Maps anonymous memory, readable and writable, as high as the kernel's own things (stack, vDSO) leave room.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static nint Reserve(nuint size)
    {
        for (ulong candidate = 0x7ffe_0000_0000; candidate > 0x7000_0000_0000; candidate -= 0x1_0000_0000)
        {
            Result<nint> mapped = HostMemory.Map(
                (nint)candidate, size, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapPrivate | HostMemory.MapAnonymous | HostMemory.MapNoReserve | HostMemory.MapFixedNoReplace);
            if (mapped.TryGet(out nint address, out _))
            {
                if (address == (nint)candidate)
                {
                    return address;
                }

                HostMemory.Unmap(address, size);
            }
        }

        throw new InvalidOperationException("no room for the stub region in the address space");
    }

    /// <summary>Makes the first stub with code of <see cref="Amd64.StubAssembler.Spawn"/>.</summary>
    /// <param name="code">Where the code is.</param>
    /// <returns>The stub's pid.</returns>
    public static Result<int> SpawnFirst(ulong code)
    {
        const int StackSize = 4096;
        byte* stack = (byte*)NativeMemory.AlignedAlloc(StackSize, 16);
        int pid = 0;

        // SAFETY: the code has this signature. The child it makes shares our memory, runs on this stack, and has ended or let go of it when the call
        // returns (CLONE_VFORK).
        delegate* unmanaged<byte*, int*, int> spawn = (delegate* unmanaged<byte*, int*, int>)code;
        int middle = spawn(stack + StackSize, &pid);
        NativeMemory.AlignedFree(stack);
        if (middle < 0)
        {
            return (Errno)(-middle);
        }

        _ = Host.Process.WaitStatus.WaitFor(middle);
        if (pid < 0)
        {
            return (Errno)(-pid);
        }

        // Out of the Sentry's group, and with it all stubs to come: signals that a terminal sends to the group are for the Sentry. (ESRCH where it is no child of ours: then there is no terminal.)
        HostCall.Invoke(SyscallNumber.setpgid, pid, pid);
        return pid;
    }

    /// <summary>Throws for an error of the host while the platform starts.</summary>
    public static void Check(Errno errno, string what)
    {
        if (errno != Errno.None)
        {
            throw new InvalidOperationException($"{what}: {errno}");
        }
    }
}

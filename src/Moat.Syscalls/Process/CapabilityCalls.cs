using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>capget(2), capset(2).</summary>
internal static class CapabilityCalls
{
    private const uint Version1 = 0x19980330;
    private const uint Version2 = 0x20071026;
    private const uint Version3 = 0x20080522;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.capget, Capget, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.capset, Capset, Arg.Pointer, Arg.Pointer);
    }

    private static SyscallResult Capget(GuestTask task, in SyscallArguments arguments)
    {
        Errno errno = ReadHeader(task, arguments.Address(0), out uint version, out int pid);
        if (errno != Errno.None)
        {
            return errno == Errno.EINVAL && arguments.Address(1).IsNull ? Errno.None : errno;
        }

        if (pid < 0)
        {
            return Errno.EINVAL;
        }

        GuestTask? target = pid == 0 ? task : task.Pids.FindTask(pid);
        if (target is null)
        {
            return Errno.ESRCH;
        }

        TaskCredentials who = target.Credentials;
        Span<uint> data =
        [
            (uint)who.Effective.Bits, (uint)who.Permitted.Bits, (uint)who.Inheritable.Bits,
            (uint)(who.Effective.Bits >> 32), (uint)(who.Permitted.Bits >> 32), (uint)(who.Inheritable.Bits >> 32),
        ];
        return arguments.Address(1).IsNull ? Errno.None : task.Memory.CopyOut(arguments.Address(1), MemoryMarshal.AsBytes(version == Version1 ? data[..3] : data));
    }

    private static SyscallResult Capset(GuestTask task, in SyscallArguments arguments)
    {
        Errno errno = ReadHeader(task, arguments.Address(0), out uint version, out int pid);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (pid != 0 && pid != task.Tid)
        {
            return Errno.EPERM;
        }

        Span<uint> data = stackalloc uint[6];
        data.Clear();
        errno = task.Memory.CopyIn(arguments.Address(1), MemoryMarshal.AsBytes(version == Version1 ? data[..3] : data));
        if (errno != Errno.None)
        {
            return errno;
        }

        CapabilitySet effective = Join(data[0], data[3]);
        CapabilitySet permitted = Join(data[1], data[4]);
        CapabilitySet inheritable = Join(data[2], data[5]);
        TaskCredentials who = task.Credentials;
        bool inheritsMore = (inheritable & ~(who.Inheritable | who.Permitted)).Bits != 0 && !who.HasCapability(Capability.CAP_SETPCAP);
        if (inheritsMore || (inheritable & ~(who.Inheritable | who.Bounding)).Bits != 0 || (permitted & ~who.Permitted).Bits != 0 || (effective & ~permitted).Bits != 0)
        {
            return Errno.EPERM;
        }

        task.Credentials = who with { Effective = effective, Permitted = permitted, Inheritable = inheritable, Ambient = who.Ambient & permitted & inheritable };
        return SyscallResult.Ok;
    }

    // EINVAL for another version: the one that is preferred is written back.
    private static Errno ReadHeader(GuestTask task, GuestAddress address, out uint version, out int pid)
    {
        pid = 0;
        Errno errno = task.Memory.Read(address, out version);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (version is not (Version1 or Version2 or Version3))
        {
            errno = task.Memory.Write(address, Version3);
            return errno == Errno.None ? Errno.EINVAL : errno;
        }

        return task.Memory.Read(address + 4, out pid);
    }

    private static CapabilitySet Join(uint low, uint high) => new((low | ((ulong)high << 32)) & CapabilitySet.Full.Bits);
}

using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>process_vm_readv(2), process_vm_writev(2).</summary>
internal static class ProcessMemory
{
    private const int MaxVectors = 1024; // UIO_MAXIOV
    private const int ChunkSize = 4096;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.process_vm_readv, static (GuestTask task, in SyscallArguments arguments) => Run(task, arguments, write: false), Arg.Pid, Arg.IoVecOut, Arg.Size, Arg.Pointer, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.process_vm_writev, static (GuestTask task, in SyscallArguments arguments) => Run(task, arguments, write: true), Arg.Pid, Arg.IoVecIn, Arg.Size, Arg.Pointer, Arg.Size, Arg.Hex);
    }

    private static SyscallResult Run(GuestTask task, in SyscallArguments arguments, bool write)
    {
        if (arguments[5] != 0)
        {
            return Errno.EINVAL;
        }

        if (!ReadVector(task, arguments.Address(1), arguments.Size(2)).TryGet(out IoVec[]? own, out Errno errno)
            || !ReadVector(task, arguments.Address(3), arguments.Size(4)).TryGet(out IoVec[]? remote, out errno))
        {
            return errno;
        }

        if (own.Length == 0 || remote.Length == 0)
        {
            return 0;
        }

        MemoryManager memory;
        lock (task.Kernel.TaskLock)
        {
            if (task.Pids.FindTask(arguments.Int(0)) is not { } target)
            {
                return Errno.ESRCH;
            }

            if (!TraceAccess.IsAllowed(task, target))
            {
                return Errno.EPERM;
            }

            memory = target.Memory;
            if (target.HasEnded || !memory.TryAddUser())
            {
                return Errno.ESRCH;
            }
        }

        SyscallResult result = Copy(task, memory, own, remote, write);
        memory.RemoveUser();
        return result;
    }

    private static SyscallResult Copy(GuestTask task, MemoryManager memory, IoVec[] own, IoVec[] remote, bool write)
    {
        IoBuffer here = new(task.Memory, own);
        IoBuffer there = new(memory, remote);
        Span<byte> chunk = stackalloc byte[ChunkSize];
        long done = 0;
        while (here.Length > 0 && there.Length > 0)
        {
            int wanted = (int)Math.Min(ChunkSize, Math.Min(here.Length, there.Length));
            Result<int> taken = write ? here.CopyTo(chunk[..wanted]) : there.CopyTo(chunk[..wanted]);
            if (!taken.TryGet(out int count, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            Result<int> given = write ? there.CopyFrom(chunk[..count]) : here.CopyFrom(chunk[..count]);
            if (!given.TryGet(out int copied, out errno))
            {
                return done > 0 ? done : errno;
            }

            done += copied;
            if (copied < wanted)
            {
                break;
            }
        }

        return done;
    }

    private static Result<IoVec[]> ReadVector(GuestTask task, GuestAddress address, ulong count)
    {
        if (count > MaxVectors)
        {
            return Errno.EINVAL;
        }

        IoVec[] vectors = new IoVec[count];
        Errno errno = task.Memory.CopyIn(address, MemoryMarshal.AsBytes(vectors.AsSpan()));
        if (errno != Errno.None)
        {
            return errno;
        }

        ulong total = 0;
        foreach (IoVec vector in vectors)
        {
            if (vector.Length > long.MaxValue - total)
            {
                return Errno.EINVAL;
            }

            total += vector.Length;
        }

        return vectors;
    }
}

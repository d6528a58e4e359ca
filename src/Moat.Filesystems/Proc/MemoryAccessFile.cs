using Moat.Filesystems.Synthetic;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/mem: the memory of a process, byte by byte at its addresses, for who may trace it.</summary>
internal sealed class MemoryAccessFile(ProcFilesystem proc, GuestTask task) : SyntheticInode(proc, Mode.S_IFREG | (Mode)0x180)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => ProcFilesystem.OwnerOf(task);

    /// <inheritdoc/>
    public override Errno SetAttributes(GuestTask task, in AttributeChange change) =>
        change is { Size: not null, Permissions: null, Uid: null, Gid: null } ? Errno.None : Errno.EPERM;

    /// <summary>Opens it: what is read and written then is the memory that the process has now, also after an execve(2).</summary>
    /// <returns>EACCES; ESRCH of one that has ended.</returns>
    public override Result<FileDescription> Open(GuestTask opener, PathLocation location, OpenFlags flags)
    {
        if (!TraceAccess.IsAllowedByFileIds(opener, task))
        {
            return Errno.EACCES;
        }

        return task.HasEnded ? Errno.ESRCH : new Description(this, task.Memory, flags, location);
    }

    private sealed class Description(MemoryAccessFile file, MemoryManager memory, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
    {
        private const int ChunkSize = 4096;

        public override Inode Inode => file;

        public override bool IsSeekable => true;

        public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
        {
            if (!memory.TryAddUser())
            {
                return 0;
            }

            Span<byte> chunk = stackalloc byte[ChunkSize];
            SyscallResult result = 0;
            while (!destination.IsEmpty && !result.IsError)
            {
                int wanted = (int)Math.Min(ChunkSize, destination.Length);
                int got = memory.CopyInPartial(Place(offset, result), chunk[..wanted], isForced: true);
                int given = got == 0 ? 0 : destination.CopyFrom(chunk[..got]).TryGet(out int count, out _) ? count : -1;
                if (given < wanted)
                {
                    result = Cut(result, given);
                    break;
                }

                result = result.Raw + given;
            }

            memory.RemoveUser();
            return result;
        }

        public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
        {
            if (!memory.TryAddUser())
            {
                return 0;
            }

            Span<byte> chunk = stackalloc byte[ChunkSize];
            SyscallResult result = 0;
            while (!source.IsEmpty && !result.IsError)
            {
                int wanted = (int)Math.Min(ChunkSize, source.Length);
                int taken = source.CopyTo(chunk[..wanted]).TryGet(out int count, out _) ? memory.CopyOutPartial(Place(offset, result), chunk[..count], isForced: true) : -1;
                if (taken < wanted)
                {
                    result = Cut(result, taken);
                    break;
                }

                result = result.Raw + taken;
            }

            memory.RemoveUser();
            offset += result.IsError ? 0 : result.Raw;
            return result;
        }

        public override SyscallResult Seek(GuestTask task, long offset, int whence)
        {
            if (whence is not (0 or 1))
            {
                return Errno.EINVAL;
            }

            Offset = unchecked(whence == 1 ? Offset + offset : offset);
            return Offset;
        }

        private static GuestAddress Place(long offset, SyscallResult done) => new(unchecked((ulong)(offset + done.Raw)));

        // What has been copied before a page that is not there (0) or a buffer that is not (-1) counts.
        private static SyscallResult Cut(SyscallResult done, int last) => done.Raw + Math.Max(last, 0) is var all and > 0 ? all : last < 0 ? Errno.EFAULT : Errno.EIO;
    }
}

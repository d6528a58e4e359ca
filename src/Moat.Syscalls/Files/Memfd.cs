using Moat.Filesystems.Tmpfs;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>memfd_create(2).</summary>
internal static class Memfd
{
    private const int MaxName = 249;
    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;
    private const uint HugeTlb = 4;
    private const uint NoExecSeal = 8;
    private const uint Exec = 0x10;

    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.memfd_create, Create, Arg.String, Arg.Hex);

    private static SyscallResult Create(GuestTask task, in SyscallArguments arguments)
    {
        const uint Known = CloseOnExec | AllowSealing | NoExecSeal | Exec;
        const uint HugeSizes = 0xfc000000;
        const Mode All = (Mode)0x1FF;
        const Mode NoExecution = (Mode)0x1B6;
        uint flags = arguments.UInt(1);
        uint unknown = (flags & HugeTlb) != 0 ? flags & ~(Known | HugeTlb | HugeSizes) : flags & ~Known;
        if (unknown != 0 || (flags & (NoExecSeal | Exec)) == (NoExecSeal | Exec))
        {
            return Errno.EINVAL;
        }

        Span<byte> buffer = stackalloc byte[MaxName + 1];
        if (!task.Memory.CopyInString(arguments.Address(0), buffer).TryGet(out int length, out Errno errno))
        {
            return errno == Errno.ENAMETOOLONG ? Errno.EINVAL : errno;
        }

        if ((flags & HugeTlb) != 0)
        {
            return Errno.ENOSYS; // as without hugetlbfs
        }

        FileSeals seals = (flags & NoExecSeal) != 0 ? FileSeals.Exec : (flags & AllowSealing) != 0 ? FileSeals.None : FileSeals.Seal;
        FileName name = new([.. "memfd:"u8, .. buffer[..length]]);
        if (!((TmpfsFilesystem)task.Kernel.MemoryFiles).OpenUnnamed(task, name, (flags & NoExecSeal) != 0 ? NoExecution : All, seals).TryGet(out FileDescription? file, out errno))
        {
            return errno;
        }

        return task.Files.Install(file, (flags & CloseOnExec) != 0, 0, task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current).TryGet(out int fd, out errno) ? fd : errno;
    }
}

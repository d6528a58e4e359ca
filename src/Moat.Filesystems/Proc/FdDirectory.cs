using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/fd (links to the open files) and /proc/PID/fdinfo (what lseek(2) and fcntl(2) would tell of them).</summary>
internal sealed class FdDirectory(ProcFilesystem proc, GuestTask owner, bool informational) : SyntheticDirectory(proc, informational ? (Mode)0x16D : (Mode)0x140)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => ProcFilesystem.OwnerOf(owner);

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (task is not null && !TraceAccess.IsAllowedByFileIds(task, owner))
        {
            return Errno.EACCES;
        }

        if (!TryParseFd(name, out int fd) || !owner.Files.Get(fd).TryGet(out FileDescription? file, out _))
        {
            return Errno.ENOENT;
        }

        Mode access = (file.CanRead ? (Mode)0x140 : 0) | (file.CanWrite ? (Mode)0xC0 : 0); // 0500, 0300
        file.Release();
        return informational ? new TaskFile(proc, owner, (holder, text) => Describe(holder, fd, text), (Mode)0x124) : new FdLink(proc, owner, fd, access);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task)
    {
        List<SyntheticEntry> entries = [];
        foreach (int fd in owner.Files.ListOpen())
        {
            entries.Add(new SyntheticEntry(new FileName(fd.ToString(CultureInfo.InvariantCulture)), (ulong)fd + 0x100000, informational ? Mode.S_IFREG : Mode.S_IFLNK));
        }

        return entries;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child) => false;

    private static bool TryParseFd(FileName name, out int fd) =>
        int.TryParse(name.Bytes, NumberStyles.None, CultureInfo.InvariantCulture, out fd) && (name.Length == 1 || name.Bytes[0] != (byte)'0');

    private static void Describe(GuestTask owner, int fd, SyntheticText text)
    {
        FdTable files = owner.Files;
        if (!files.Get(fd).TryGet(out FileDescription? file, out _))
        {
            return;
        }

        long flags = (long)file.StatusFlags | ((files.GetCloseOnExec(fd).TryGet(out bool closes, out _) && closes) ? (long)OpenFlags.O_CLOEXEC : 0);
        text.AppendLine($"pos:\t{file.Offset}").AppendLine($"flags:\t0{Convert.ToString(flags, 8)}").AppendLine($"mnt_id:\t{file.Location?.Mount.Id ?? 0}");
        if (file.Inode.GetAttributes(out InodeAttributes attributes) == Errno.None)
        {
            text.AppendLine($"ino:\t{attributes.Inode}");
        }

        file.Release();
    }
}

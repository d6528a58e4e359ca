using Moat.Filesystems.Devpts;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tty;

/// <summary>The terminals' devices outside devpts (tty(4), console(4), pts(4)): /dev/tty, /dev/console, /dev/ptmx.</summary>
public static class TerminalDevices
{
    private const uint AlternateMajor = 5;

    /// <summary>/dev/tty: the caller's own terminal.</summary>
    public static readonly DeviceNumber Current = new(AlternateMajor, 0);

    /// <summary>/dev/console: the terminal that the container was given.</summary>
    public static readonly DeviceNumber Console = new(AlternateMajor, 1);

    /// <summary>/dev/ptmx.</summary>
    public static readonly DeviceNumber Master = new(AlternateMajor, 2);

    /// <summary>Makes the devices known to the kernel.</summary>
    public static void Register(SentryKernel kernel)
    {
        kernel.Devices.Register(Current, OpenCurrent);
        kernel.Devices.Register(Console, OpenConsole);
        kernel.Devices.Register(Master, OpenMaster);
    }

    /// <summary>Opens the terminal of the caller's session; ENXIO if there is none.</summary>
    internal static Result<FileDescription> OpenCurrent(GuestTask task, PathLocation location, OpenFlags flags) =>
        JobControl.TerminalOf(task) is Terminal terminal ? terminal.Open(task, location, flags | OpenFlags.O_NOCTTY) : Errno.ENXIO;

    /// <summary>Opens ptmx: of the devpts it is in, or of the one mounted at "pts" beside it; ENODEV where something else is.</summary>
    internal static Result<FileDescription> OpenMaster(GuestTask task, PathLocation location, OpenFlags flags)
    {
        PathLocation root = new(location.Mount, location.Dentry.Parent);
        if (location.Inode.Filesystem is not DevptsFilesystem && !PathWalker.Resolve(task, root, "pts"u8, WalkFlags.None).TryGet(out root, out Errno errno))
        {
            return errno;
        }

        return root.Inode.Filesystem is DevptsFilesystem devpts && root.Dentry.IsRoot ? devpts.OpenMaster(task, location, root, flags) : Errno.ENODEV;
    }

    private static Result<FileDescription> OpenConsole(GuestTask task, PathLocation location, OpenFlags flags) =>
        task.ThreadGroup.Container.Console is Terminal terminal ? terminal.Open(task, location, flags | OpenFlags.O_NOCTTY) : Errno.ENXIO;
}

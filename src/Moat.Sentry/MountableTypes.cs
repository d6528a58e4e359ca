using Moat.Filesystems.Proc;
using Moat.Filesystems.Sys;
using Moat.Filesystems.Tmpfs;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>What applications can mount by themselves (mount(2)).</summary>
internal static class MountableTypes
{
    /// <summary>Tells the kernel of them.</summary>
    public static void Register(SentryKernel kernel)
    {
        kernel.FilesystemTypes["tmpfs"] = new TmpfsType("tmpfs");
        kernel.FilesystemTypes["proc"] = new ProcType();
        kernel.FilesystemTypes["sysfs"] = new SysType();
    }

    private static DeviceNumber NewDevice(SentryKernel kernel) => new(0, (uint)kernel.NextAnonymousDevice());

    private sealed class TmpfsType(string name) : IFilesystemType
    {
        public Result<Filesystem> Make(GuestTask task, string options)
        {
            if (!TmpfsOptions.Parse(options, task.Kernel.Facts.MemoryBytes).TryGet(out TmpfsOptions? parsed, out Errno errno))
            {
                return errno;
            }

            bool hasOwner = options.Contains("uid=", StringComparison.Ordinal);
            bool hasGroup = options.Contains("gid=", StringComparison.Ordinal);
            return new TmpfsFilesystem(task.Kernel, parsed with
            {
                TypeName = name,
                Uid = hasOwner ? parsed.Uid : task.Credentials.FilesystemUid,
                Gid = hasGroup ? parsed.Gid : task.Credentials.FilesystemGid,
            });
        }
    }

    private sealed class ProcType : IFilesystemType
    {
        public Result<Filesystem> Make(GuestTask task, string options) => options.Length == 0 ? new ProcFilesystem(task.Kernel, task.Pids, NewDevice(task.Kernel)) : Errno.EINVAL;
    }

    private sealed class SysType : IFilesystemType
    {
        public Result<Filesystem> Make(GuestTask task, string options) =>
            options.Length == 0 ? new SysFilesystem(NewDevice(task.Kernel), task.Kernel.Facts, task.Kernel.Clock) : Errno.EINVAL;
    }
}

using Moat.Filesystems.Tty;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Devpts;

/// <summary>/dev/pts/N.</summary>
internal sealed class DevptsSlave(DevptsFilesystem filesystem, Terminal terminal, Mode permissions, NewOwner owner) : DevptsNode(filesystem, terminal.Device, permissions, owner)
{
    /// <summary>The terminal.</summary>
    public Terminal Terminal => terminal;

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => terminal.Open(task, location, flags);
}

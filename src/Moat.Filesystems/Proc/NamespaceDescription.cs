using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>An open file of /proc/PID/ns: keeps the namespace, and is what setns(2) takes.</summary>
internal sealed class NamespaceDescription : FileDescription, INamespaceFile
{
    private const uint NS_GET_NSTYPE = 0xb703;

    private readonly NamespaceInode _inode;

    /// <param name="inode">What stands for the namespace, of which the file has a reference.</param>
    /// <param name="flags">The flags of open(2).</param>
    public NamespaceDescription(NamespaceInode inode, OpenFlags flags)
        : base(flags, null) => _inode = inode;

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <inheritdoc/>
    public INamespace? Namespace => _inode.Namespace;

    /// <inheritdoc/>
    public ulong CloneFlag => _inode.CloneFlag;

    /// <inheritdoc/>
    public override string AnonymousName => _inode.Name;

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) => request == NS_GET_NSTYPE ? (long)CloneFlag : Errno.ENOTTY;

    /// <inheritdoc/>
    protected override void OnLastClose() => Namespace?.RemoveUser();
}

using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>An open file of /proc/PID/ns: keeps the namespace, and is what setns(2) takes.</summary>
public sealed class NamespaceDescription : FileDescription
{
    private readonly Inode _inode;

    /// <param name="inode">What stands for the namespace.</param>
    /// <param name="cloneFlag">Its CLONE_NEW*.</param>
    /// <param name="mounts">The mount namespace, if it is one.</param>
    /// <param name="flags">The flags of open(2).</param>
    public NamespaceDescription(Inode inode, ulong cloneFlag, MountNamespace? mounts, OpenFlags flags)
        : base(flags, null)
    {
        _inode = inode;
        CloneFlag = cloneFlag;
        Mounts = mounts;
        mounts?.AddUser();
    }

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <summary>The namespace's CLONE_NEW*.</summary>
    public ulong CloneFlag { get; }

    /// <summary>The mount namespace, if it is one.</summary>
    public MountNamespace? Mounts { get; }

    /// <inheritdoc/>
    public override string AnonymousName => (_inode as NamespaceInode)?.Name ?? "ns:[0]";

    /// <inheritdoc/>
    protected override void OnLastClose() => Mounts?.RemoveUser();
}

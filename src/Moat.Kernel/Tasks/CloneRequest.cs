using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>What clone(2), clone3(2), fork(2) and vfork(2) ask for.</summary>
public readonly record struct CloneRequest
{
    public const ulong Vm = 0x100;
    public const ulong FsFlag = 0x200;
    public const ulong FilesFlag = 0x400;
    public const ulong Sighand = 0x800;
    public const ulong PidFd = 0x1000;
    public const ulong Traced = 0x2000; // CLONE_PTRACE
    public const ulong Vfork = 0x4000;
    public const ulong ParentFlag = 0x8000;
    public const ulong ThreadFlag = 0x10000;
    public const ulong SetTls = 0x80000;
    public const ulong ParentSetTid = 0x100000;
    public const ulong ChildClearTid = 0x200000;
    public const ulong Untraced = 0x800000;
    public const ulong ChildSetTid = 0x1000000;
    public const ulong NewNamespaces = 0x7e020000 | 0x80;
    public const ulong NewMounts = 0x20000;
    public const ulong NewUts = 0x4000000;
    public const ulong NewIpc = 0x8000000;
    public const ulong NewPids = 0x20000000;
    public const ulong SystemVSemaphores = 0x40000; // CLONE_SYSVSEM
    public const ulong NewUser = 0x10000000;
    public const ulong NewNetwork = 0x40000000;
    public const ulong ClearSighand = 0x100000000;
    public const ulong IntoCgroup = 0x200000000;

    /// <summary>Every flag of clone3(2).</summary>
    public const ulong Known = 0x3ffbfff80;

    /// <summary>CLONE_*, without the exit signal.</summary>
    public ulong Flags { get; init; }

    /// <summary>What the parent gets at the end.</summary>
    public Signal ExitSignal { get; init; }

    /// <summary>The child's stack pointer, or null for the parent's.</summary>
    public GuestAddress Stack { get; init; }

    /// <summary>CLONE_SETTLS.</summary>
    public ulong Tls { get; init; }

    /// <summary>Where the pidfd goes (CLONE_PIDFD).</summary>
    public GuestAddress PidfdAddress { get; init; }

    /// <summary>Makes the pidfd for the child's process in the parent's descriptors; null for none.</summary>
    public Func<GuestTask, ThreadGroup, Result<int>>? MakePidfd { get; init; }

    /// <summary>CLONE_PARENT_SETTID.</summary>
    public GuestAddress ParentTid { get; init; }

    /// <summary>CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID.</summary>
    public GuestAddress ChildTid { get; init; }

    /// <summary>Whether a flag is set.</summary>
    public bool Has(ulong flag) => (Flags & flag) != 0;
}

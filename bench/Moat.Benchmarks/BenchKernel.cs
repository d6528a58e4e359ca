using Moat.Filesystems.Tmpfs;
using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;
using Moat.Sockets;
using Moat.Syscalls;

namespace Moat.Benchmarks;

/// <summary>A kernel with one task that never runs, a tmpfs for its root and some memory.</summary>
internal sealed class BenchKernel
{
    /// <summary>Bytes of memory that the task has mapped.</summary>
    public const int MemoryBytes = 1 << 20;

    private const ulong Megabytes = 1 << 20;

    public BenchKernel()
    {
        BenchHost host = new();
        HostFacts facts = new() { ProcessorCount = 2, MemoryBytes = 64 * Megabytes, BootMonotonicNs = host.MonotonicNs, BootRealtimeNs = host.RealtimeNs };
        Dispatcher = new SyscallDispatcher(SyscallTable.Create(), host, null);
        Kernel = new SentryKernel(new BenchPlatform(), new MemoryFile(64 * Megabytes), host, host, host, facts, Dispatcher);
        TmpfsFilesystem root = new(Kernel, new TmpfsOptions());
        MountNamespace mounts = new(new Mount(root, new Dentry(null, new FileName("/"), root.Root), MountFlags.RelAtime) { Source = "root" }, NamespaceIds.FirstMount, Kernel.NamespaceIds);
        PidNamespace pids = new(Kernel.Pids, NamespaceIds.FirstPid);
        GuestContainer container = new(Kernel, pids, new IpcNamespace(Kernel, NamespaceIds.FirstIpc), observer: null);
        NetworkNamespace network = new SocketNetworks(Kernel, new SocketFilesystem(Kernel)).MakeFirst(new UserNamespace(null));
        Task = InitialProcess.Create(container, mounts, Root(), new UtsNamespace(NamespaceIds.FirstUts, "bench", "(none)"), network, new ResourceLimits());
        Memory = Task.Memory.Map(new MapRequest { Length = MemoryBytes, Access = MemoryAccess.Read | MemoryAccess.Write }).Value;
        Task.Memory.CopyOut(Memory, new byte[MemoryBytes]);
    }

    public SentryKernel Kernel { get; }

    public SyscallDispatcher Dispatcher { get; }

    public GuestTask Task { get; }

    /// <summary>The task's memory.</summary>
    public GuestAddress Memory { get; }

    /// <summary>Makes a call; fails if the call does.</summary>
    public long Call(SyscallNumber number, ulong first = 0, ulong second = 0, ulong third = 0)
    {
        Task.Registers.OrigRax = (ulong)number;
        Task.Registers.Rdi = first;
        Task.Registers.Rsi = second;
        Task.Registers.Rdx = third;
        SyscallResult result = Dispatcher.Dispatch(Task);
        return result.IsError ? throw new InvalidOperationException($"{number}: {result.Errno}") : result.Raw;
    }

    /// <summary>Puts a text, with a zero behind it, at an offset of the memory and returns where.</summary>
    public ulong Text(string text, int offset)
    {
        Task.Memory.CopyOut(Memory + (ulong)offset, System.Text.Encoding.UTF8.GetBytes(text + "\0"));
        return (Memory + (ulong)offset).Value;
    }

    private static TaskCredentials Root() => new()
    {
        RealUid = 0, EffectiveUid = 0, SavedUid = 0, FilesystemUid = 0,
        RealGid = 0, EffectiveGid = 0, SavedGid = 0, FilesystemGid = 0,
        Groups = [],
        Effective = CapabilitySet.Full, Permitted = CapabilitySet.Full, Bounding = CapabilitySet.Full,
        UserNamespace = new UserNamespace(null),
    };
}

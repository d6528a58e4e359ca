using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Sockets;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Sockets;

/// <summary>The home of sockets (sockfs), mounted nowhere, and the registry of address families. Families are added at boot.</summary>
public sealed class SocketFilesystem(SentryKernel kernel) : Filesystem
{
    private readonly ISocketFamily?[] _families = new ISocketFamily?[(int)AddressFamily.AF_MAX];
    private long _lastInode;

    /// <inheritdoc/>
    public override string TypeName => "sockfs";

    /// <inheritdoc/>
    public override DeviceNumber Device { get; } = new(0, (uint)kernel.NextAnonymousDevice());

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <summary>The time, for new inodes and deadlines.</summary>
    public IKernelClock Clock => kernel.Clock;

    /// <summary>net.core.somaxconn: the most connections that may wait at a listener.</summary>
    public int MaxBacklog { get; set; } = 4096;

    /// <summary>net.ipv4.ip_unprivileged_port_start.</summary>
    public int FirstUnprivilegedPort { get; set; } = 1024;

    /// <summary>The sockets that there are.</summary>
    public SocketRegistry Registry { get; } = new();

    /// <summary>What the sockets of all families hold.</summary>
    public SocketMemory Memory { get; } = new();

    /// <summary>The network whose interfaces a socket of any family shows (netdevice(7)); null if there is none. Set at boot.</summary>
    public NetworkStack? Network { get; set; }

    /// <summary>The tables of iptables; null before there is a network.</summary>
    internal XtTables? TablesV4 { get; private set; }

    /// <summary>The tables of ip6tables.</summary>
    internal XtTables? TablesV6 { get; private set; }

    /// <summary>The number of the interface with a name; 0 if there is none.</summary>
    public int FindInterface(string name)
    {
        foreach (NetworkInterface candidate in Network?.Interfaces ?? [])
        {
            if (candidate.Name == name)
            {
                return candidate.Index;
            }
        }

        return 0;
    }

    /// <summary>The name of the interface with a number; null if there is none.</summary>
    public string? NameOfInterface(int index) => Network?.FindInterface(index)?.Name;

    /// <summary>The socket options of iptables or ip6tables, whose tables are made with them. At boot.</summary>
    internal XtOptions FiltersOf(NetworkStack stack, bool isV6)
    {
        XtLayout layout = isV6 ? XtLayout.V6 : XtLayout.V4;
        XtTables tables = new(stack.Filter, layout);
        (TablesV4, TablesV6) = isV6 ? (TablesV4, tables) : (tables, TablesV6);
        return new XtOptions(tables, layout);
    }

    /// <summary>Adds a family.</summary>
    public void Register(AddressFamily number, ISocketFamily family) => _families[(int)number] = family;

    /// <summary>The family with a number; null (EAFNOSUPPORT) if there is none.</summary>
    public ISocketFamily? Find(int number) => (uint)number < (uint)_families.Length ? _families[number] : null;

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        statistics = new FilesystemStatistics { Magic = 0x534f434b, BlockSize = 4096, NameLength = FileName.MaxLength };
        return Errno.None;
    }

    /// <summary>An inode for a new socket of a task.</summary>
    internal SocketInode NewInode(GuestTask task) =>
        new(this, (ulong)Interlocked.Increment(ref _lastInode), new NewOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid), Clock.RealtimeNs);
}

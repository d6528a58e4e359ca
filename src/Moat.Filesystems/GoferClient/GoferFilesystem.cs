using Moat.Host;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>Files of the host that a Gofer serves: a container's root, or a bind mount.</summary>
public sealed class GoferFilesystem : Filesystem
{
    private readonly GoferTransport _transport;
    private readonly GoferInode _root;

    private GoferFilesystem(GoferTransport transport, GoferConnection connection, NinePAttributes root, byte[] target, DeviceNumber device, bool isShared)
    {
        _transport = transport;
        Connection = connection;
        Device = device;
        IsShared = isShared;
        Names = new DentryCache();
        _root = new GoferInode(this, null, null, root, target);
    }

    /// <inheritdoc/>
    public override string TypeName => "9p";

    /// <inheritdoc/>
    public override DeviceNumber Device { get; }

    /// <inheritdoc/>
    public override Inode Root => _root;

    /// <inheritdoc/>
    public override string Options => IsShared ? "trans=fd,cache=mmap" : "trans=fd,cache=loose";

    /// <inheritdoc/>
    public override bool IsStable => !IsShared;

    /// <summary>Whether others may change the files meanwhile (or the guest does): names and attributes are asked for again at each use. Otherwise what the guest has seen stays as it is; what somebody puts there all the same (docker cp) is
    /// found if the guest has not asked for it before.</summary>
    internal bool IsShared { get; }

    /// <summary>The directories that were read, unless the tree is shared.</summary>
    internal GoferListings Listings { get; } = new();

    /// <summary>The open files, unless the tree is shared.</summary>
    internal GoferDescriptors Descriptors { get; } = new();

    /// <summary>Pages that were read, unless the tree is shared.</summary>
    internal GoferPageCache Pages { get; } = new();

    /// <summary>The Gofer.</summary>
    internal GoferConnection Connection { get; }

    /// <summary>Attaches to a Gofer.</summary>
    /// <param name="fd">The socket; the filesystem owns it.</param>
    /// <param name="device">The device number shown.</param>
    /// <param name="isShared">Whether the files may change behind the Sentry's back.</param>
    /// <param name="clock">Says how old is what is known.</param>
    /// <returns>EPROTONOSUPPORT for a server that cannot donate descriptors.</returns>
    public static Result<GoferFilesystem> Attach(int fd, DeviceNumber device, bool isShared, IKernelClock clock)
    {
        GoferTransport transport = new(fd);
        if (!NinePClient.Connect(transport, static descriptor => HostMemory.Close(descriptor), 0, "").TryGet(out NinePClient? client, out Errno errno))
        {
            return errno;
        }

        if (!client.IsExtended)
        {
            return Errno.EPROTONOSUPPORT;
        }

        return client.Lookup(NinePClient.RootFid, default).TryGet(out (NinePAttributes Attributes, byte[] Target) root, out errno)
            ? new GoferFilesystem(transport, new GoferConnection(client, clock), root.Attributes, root.Target, device, isShared)
            : errno;
    }

    /// <inheritdoc/>
    public override void Discard()
    {
        _transport.Close();
        Descriptors.CloseIdle();
    }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        statistics = default;
        Result<NinePStatistics> result;
        lock (Connection.Lock)
        {
            result = Connection.Client.GetStatistics(NinePClient.RootFid);
        }

        if (!result.TryGet(out NinePStatistics found, out Errno errno))
        {
            return errno;
        }

        statistics = new FilesystemStatistics
        {
            Magic = 0x01021997, // V9FS_MAGIC
            BlockSize = found.BlockSize,
            Blocks = found.Blocks,
            BlocksFree = found.BlocksFree,
            BlocksAvailable = found.BlocksAvailable,
            Files = found.Files,
            FilesFree = found.FilesFree,
            Identifier = found.Identifier,
            NameLength = FileName.MaxLength,
        };
        return Errno.None;
    }
}

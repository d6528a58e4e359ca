using System.Runtime.CompilerServices;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Platform;

namespace Moat.Sockets.Unix;

/// <summary>AF_UNIX: makes sockets and knows their names.</summary>
public sealed class UnixFamily(SocketFilesystem home) : ISocketFamily
{
    private readonly Dictionary<(SocketNetwork Network, SocketType Type, string Name), UnixSocket> _names = []; // guarded by Lock; abstract names are those of a network
    private readonly ConditionalWeakTable<Inode, UnixSocket> _nodes = [];

    /// <summary>Guards names, connections and shutdown of all unix sockets. It stands with the data of inodes in the lock order; only wait queues and leaves come under it.</summary>
    internal Lock Lock { get; } = new();

    /// <summary>The home of the sockets.</summary>
    internal SocketFilesystem Home => home;

    /// <summary>What the sockets of all families hold.</summary>
    internal SocketMemory Memory => home.Memory;

    /// <summary>Files that are on their way.</summary>
    internal InFlightFiles InFlight { get; } = new();

    /// <summary>Messages that can be used again.</summary>
    internal UnixMessagePool Messages { get; } = new();

    /// <inheritdoc/>
    public Result<Socket> Create(GuestTask task, SocketType type, int protocol, OpenFlags flags)
    {
        if (protocol is not (0 or (int)AddressFamily.AF_UNIX))
        {
            return Errno.EPROTONOSUPPORT;
        }

        return type switch
        {
            SocketType.SOCK_STREAM or SocketType.SOCK_SEQPACKET => new UnixConnection(this, task, type, flags),
            SocketType.SOCK_DGRAM or SocketType.SOCK_RAW => new UnixDatagram(this, task, flags),
            _ => Errno.ESOCKTNOSUPPORT,
        };
    }

    /// <inheritdoc/>
    public Result<(Socket First, Socket Second)> CreatePair(GuestTask task, SocketType type, int protocol, OpenFlags flags)
    {
        if (!Create(task, type, protocol, flags).TryGet(out Socket? first, out Errno errno))
        {
            return errno;
        }

        Socket second = Create(task, type, protocol, flags).Value;
        if (first is UnixConnection connection)
        {
            connection.JoinPair(task, (UnixConnection)second);
        }
        else
        {
            ((UnixDatagram)first).JoinPair(task, (UnixDatagram)second);
        }

        return (first, second);
    }

    /// <summary>Makes the file of a path that is bound to.</summary>
    /// <returns>EADDRINUSE if there is one; the errors of mknod(2).</returns>
    internal Result<Inode> MakeNode(GuestTask task, in UnixAddress name)
    {
        PathLocation start = task.Fs.WorkingDirectory;
        Errno errno = FileCreation.Make(task, start, name.Path, Mode.S_IFSOCK | (Mode)0x1ff, default);
        if (errno != Errno.None)
        {
            return errno == Errno.EEXIST ? Errno.EADDRINUSE : errno;
        }

        return PathWalker.Resolve(task, start, name.Path, WalkFlags.NoFollow).TryGet(out PathLocation place, out errno) ? place.Inode : errno;
    }

    /// <summary>Says which socket is behind a file.</summary>
    internal void SetNode(Inode node, UnixSocket socket) => _nodes.AddOrUpdate(node, socket);

    /// <summary>Finds the socket an address names, with a reference.</summary>
    /// <returns>ECONNREFUSED; EPROTOTYPE; EACCES and the errors of path resolution.</returns>
    internal Result<UnixSocket> Find(GuestTask task, in UnixAddress name, SocketType type)
    {
        UnixSocket? found;
        if (name.IsAbstract)
        {
            lock (Lock)
            {
                found = FindNameLocked((SocketNetwork)task.Network, type, name);
                return found is not null && found.TryAddReference() ? found : Errno.ECONNREFUSED;
            }
        }

        if (!PathWalker.Resolve(task, task.Fs.WorkingDirectory, name.Path).TryGet(out PathLocation place, out Errno errno))
        {
            return errno;
        }

        errno = FilePermission.Check(task, place, MemoryAccess.Write);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (place.Inode.FileType != Mode.S_IFSOCK || !_nodes.TryGetValue(place.Inode, out found) || !found.TryAddReference())
        {
            return Errno.ECONNREFUSED;
        }

        if (found.Type != type)
        {
            found.Release();
            return Errno.EPROTOTYPE;
        }

        return found;
    }

    /// <summary>The socket with an abstract name in a network.</summary>
    internal UnixSocket? FindNameLocked(SocketNetwork network, SocketType type, in UnixAddress name) => _names.GetValueOrDefault((network, type, name.Key));

    /// <summary>Takes an abstract name.</summary>
    /// <returns>EADDRINUSE.</returns>
    internal Errno AddNameLocked(UnixSocket socket, in UnixAddress name) => _names.TryAdd((socket.Network, socket.Type, name.Key), socket) ? Errno.None : Errno.EADDRINUSE;

    /// <summary>Gives an abstract name back.</summary>
    internal void RemoveNameLocked(UnixSocket socket, in UnixAddress name) => _names.Remove((socket.Network, socket.Type, name.Key));
}

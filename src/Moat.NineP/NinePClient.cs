using Moat.Linux;

namespace Moat.NineP;

/// <summary>A connection to a server: one request at a time, each answered before the next is sent. Any thread.</summary>
/// <remarks>The server is not trusted more than a peer: a malformed answer ends the connection, after which everything gives EIO.</remarks>
public sealed class NinePClient
{
    /// <summary>The fid of the attached root.</summary>
    public const uint RootFid = 0;

    private const int DefaultMessage = 128 << 10;
    private const int IoHeader = 24;

    private readonly Lock _lock;
    private readonly NinePExchange _exchange;
    private readonly NinePWriter _writer;
    private readonly Stack<uint> _freeFids = [];
    private uint _nextFid = RootFid + 1;
    private int _messageSize = DefaultMessage;

    private NinePClient(INinePTransport transport, Action<int> closeDescriptor)
    {
        _exchange = new NinePExchange(transport, closeDescriptor, DefaultMessage);
        _writer = _exchange.Writer;
        _lock = Lock;
        Attributes = new NinePAttributeCalls(this);
    }

    /// <summary>Extended attributes.</summary>
    public NinePAttributeCalls Attributes { get; }

    /// <summary>Whether the server knows Moat's own messages.</summary>
    public bool IsExtended { get; private set; }

    /// <summary>The most bytes that one read or write moves.</summary>
    public int MaxTransfer => _messageSize - IoHeader;

    /// <summary>Agrees on a version and attaches to the root as <see cref="RootFid"/>.</summary>
    /// <param name="transport">The connection.</param>
    /// <param name="closeDescriptor">Closes a descriptor that came without being asked for.</param>
    /// <param name="userId">Who attaches.</param>
    /// <param name="tree">Which tree; empty for the only one.</param>
    /// <returns>EPROTONOSUPPORT if the server speaks neither version; EIO.</returns>
    public static Result<NinePClient> Connect(INinePTransport transport, Action<int> closeDescriptor, uint userId, string tree)
    {
        NinePClient client = new(transport, closeDescriptor);
        Errno errno = client.AgreeOnVersion(NinePVersion.Extended);
        if (errno == Errno.EPROTONOSUPPORT)
        {
            errno = client.AgreeOnVersion(NinePVersion.Linux);
        }

        if (errno == Errno.None)
        {
            lock (client._lock)
            {
                client._exchange.Begin(NinePMessageType.Tattach);
                client._writer.UInt32(RootFid);
                client._writer.UInt32(NinePSession.NoFid);
                client._writer.String("");
                client._writer.String(tree);
                client._writer.UInt32(userId);
                errno = client._exchange.Call();
            }
        }

        return errno == Errno.None ? client : errno;
    }

    /// <summary>A new fid for a name, or for the same file if the name is empty.</summary>
    public Result<uint> Walk(uint fid, ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            uint made = TakeFid();
            _exchange.Begin(NinePMessageType.Twalk);
            _writer.UInt32(fid);
            _writer.UInt32(made);
            _writer.UInt16(name.IsEmpty ? (ushort)0 : (ushort)1);
            if (!name.IsEmpty)
            {
                _writer.String(name);
            }

            Errno errno = _exchange.Call();
            if (errno != Errno.None)
            {
                _freeFids.Push(made);
                return errno;
            }

            return made;
        }
    }

    /// <summary>Gives a fid back, which is gone though the server says that it could not do what it had put off.</summary>
    public Errno Clunk(uint fid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tclunk);
            _writer.UInt32(fid);
            Errno errno = _exchange.Call();
            if (!_exchange.IsBroken && errno != Errno.EBADF)
            {
                _freeFids.Push(fid);
            }

            return errno;
        }
    }

    /// <summary>Held by who uses <see cref="Exchange"/>.</summary>
    internal Lock Lock { get; } = new();

    /// <summary>The connection.</summary>
    internal NinePExchange Exchange => _exchange;

    /// <summary>A number for a new fid.</summary>
    internal uint TakeFid() => _freeFids.TryPop(out uint free) ? free : _nextFid++;

    /// <summary>A number that no fid has got.</summary>
    internal void FreeFid(uint fid) => _freeFids.Push(fid);

    public Result<NinePAttributes> GetAttributes(uint fid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tgetattr);
            _writer.UInt32(fid);
            _writer.UInt64(NinePAttributes.Basic);
            return _exchange.Call(NinePAttributes.Read);
        }
    }

    public Errno SetAttributes(uint fid, in NinePAttributeChange change)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tsetattr);
            _writer.UInt32(fid);
            change.Write(_writer);
            return _exchange.Call();
        }
    }

    /// <summary>Opens a fid.</summary>
    public Errno Open(uint fid, OpenFlags flags)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tlopen);
            _writer.UInt32(fid);
            _writer.UInt32((uint)flags);
            return _exchange.Call();
        }
    }

    /// <summary>Makes a regular file; the fid of the directory becomes the file's, opened.</summary>
    public Errno Create(uint fid, ReadOnlySpan<byte> name, OpenFlags flags, Mode mode, uint gid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tlcreate);
            _writer.UInt32(fid);
            _writer.String(name);
            _writer.UInt32((uint)flags);
            _writer.UInt32((uint)mode);
            _writer.UInt32(gid);
            return _exchange.Call();
        }
    }

    /// <summary>Reads from an opened fid: short at the end, or at <see cref="MaxTransfer"/>.</summary>
    public Result<int> Read(uint fid, ulong offset, Span<byte> destination)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tread);
            _writer.UInt32(fid);
            _writer.UInt64(offset);
            _writer.UInt32((uint)Math.Min(destination.Length, MaxTransfer));
            Errno errno = _exchange.Run(out NinePReader reader);
            if (errno != Errno.None)
            {
                return errno;
            }

            ReadOnlySpan<byte> bytes = reader.Bytes((int)Math.Min(reader.UInt32(), int.MaxValue));
            if (reader.IsMalformed || bytes.Length > destination.Length)
            {
                return _exchange.Break();
            }

            bytes.CopyTo(destination);
            return bytes.Length;
        }
    }

    /// <summary>Writes to an opened fid, at most <see cref="MaxTransfer"/> bytes.</summary>
    public Result<int> Write(uint fid, ulong offset, ReadOnlySpan<byte> source)
    {
        lock (_lock)
        {
            ReadOnlySpan<byte> bytes = source[..Math.Min(source.Length, MaxTransfer)];
            _exchange.Begin(NinePMessageType.Twrite);
            _writer.UInt32(fid);
            _writer.UInt64(offset);
            _writer.UInt32((uint)bytes.Length);
            _writer.Bytes(bytes);
            Result<uint> written = _exchange.Call(static (ref NinePReader reader) => reader.UInt32());
            return !written.TryGet(out uint count, out Errno errno) ? errno : count <= (uint)bytes.Length ? (int)count : _exchange.Break();
        }
    }

    /// <summary>Entries of an opened directory after a cookie; none at the end.</summary>
    public Result<IReadOnlyList<NinePDirectoryEntry>> ReadDirectory(uint fid, ulong cookie)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Treaddir);
            _writer.UInt32(fid);
            _writer.UInt64(cookie);
            _writer.UInt32((uint)MaxTransfer);
            Errno errno = _exchange.Run(out NinePReader reader);
            if (errno != Errno.None)
            {
                return errno;
            }

            NinePReader entries = new(reader.Bytes((int)Math.Min(reader.UInt32(), int.MaxValue)));
            List<NinePDirectoryEntry> list = [];
            while (entries.Remaining > 0)
            {
                NinePDirectoryEntry entry = new(entries.Qid(), entries.UInt64(), entries.Byte(), entries.String().ToArray());
                list.Add(entry);
            }

            return reader.IsMalformed || entries.IsMalformed ? _exchange.Break() : list;
        }
    }

    public Result<byte[]> ReadLink(uint fid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Treadlink);
            _writer.UInt32(fid);
            return _exchange.Call(static (ref NinePReader reader) => reader.String().ToArray());
        }
    }

    public Errno MakeDirectory(uint fid, ReadOnlySpan<byte> name, Mode mode, uint gid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tmkdir);
            _writer.UInt32(fid);
            _writer.String(name);
            _writer.UInt32((uint)mode);
            _writer.UInt32(gid);
            return _exchange.Call();
        }
    }

    public Errno MakeSymlink(uint fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, uint gid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tsymlink);
            _writer.UInt32(fid);
            _writer.String(name);
            _writer.String(target);
            _writer.UInt32(gid);
            return _exchange.Call();
        }
    }

    public Errno MakeNode(uint fid, ReadOnlySpan<byte> name, Mode mode, DeviceNumber device, uint gid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tmknod);
            _writer.UInt32(fid);
            _writer.String(name);
            _writer.UInt32((uint)mode);
            _writer.UInt32(device.Major);
            _writer.UInt32(device.Minor);
            _writer.UInt32(gid);
            return _exchange.Call();
        }
    }

    public Errno Link(uint directory, uint fid, ReadOnlySpan<byte> name)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tlink);
            _writer.UInt32(directory);
            _writer.UInt32(fid);
            _writer.String(name);
            return _exchange.Call();
        }
    }

    public Errno Rename(uint directory, ReadOnlySpan<byte> name, uint newDirectory, ReadOnlySpan<byte> newName)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Trenameat);
            _writer.UInt32(directory);
            _writer.String(name);
            _writer.UInt32(newDirectory);
            _writer.String(newName);
            Errno errno = _exchange.Call();
            return errno == Errno.EOPNOTSUPP ? NinePSteps.RenameByFid(this, directory, name, newDirectory, newName) : errno;
        }
    }

    public Errno Unlink(uint directory, ReadOnlySpan<byte> name, bool isDirectory)
    {
        const uint RemoveDirectory = 0x200;
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tunlinkat);
            _writer.UInt32(directory);
            _writer.String(name);
            _writer.UInt32(isDirectory ? RemoveDirectory : 0);
            Errno errno = _exchange.Call();
            return errno == Errno.EOPNOTSUPP ? RemoveByFid(directory, name) : errno;
        }
    }

    public Errno Sync(uint fid, bool dataOnly)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tfsync);
            _writer.UInt32(fid);
            _writer.UInt32(dataOnly ? 1u : 0);
            return _exchange.Call();
        }
    }

    public Result<NinePStatistics> GetStatistics(uint fid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tstatfs);
            _writer.UInt32(fid);
            return _exchange.Call(static (ref NinePReader reader) => new NinePStatistics(
                reader.UInt32(), reader.UInt32(), reader.UInt64(), reader.UInt64(), reader.UInt64(), reader.UInt64(), reader.UInt64(), reader.UInt64(), reader.UInt32()));
        }
    }

    /// <summary>What a name is, and a symbolic link's target: in one round trip if <see cref="IsExtended"/>, else in several.</summary>
    public Result<(NinePAttributes Attributes, byte[] Target)> Lookup(uint fid, ReadOnlySpan<byte> name)
    {
        if (!IsExtended)
        {
            return NinePSteps.Lookup(this, fid, name);
        }

        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tlookup);
            _writer.UInt32(fid);
            _writer.String(name);
            return _exchange.Call(static (ref NinePReader reader) => (NinePAttributes.Read(ref reader), reader.String().ToArray()));
        }
    }

    /// <summary>Opens a regular file and gets its descriptor (<see cref="IsExtended"/> only).</summary>
    public Result<(int Descriptor, NinePAttributes Attributes)> OpenAt(uint fid, ReadOnlySpan<byte> name, OpenFlags flags)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Topenat);
            _writer.UInt32(fid);
            _writer.String(name);
            _writer.UInt32((uint)flags);
            return _exchange.CallForDescriptor();
        }
    }

    /// <summary>Opens regular files of a directory and gets their descriptors (<see cref="IsExtended"/> only).</summary>
    /// <param name="fid">The directory.</param>
    /// <param name="names">Names in it, at most <see cref="NinePServer.MaxWalk"/>.</param>
    /// <param name="flags">How each is opened.</param>
    /// <param name="descriptors">Receives a descriptor for each name, or -1 where it could not be opened.</param>
    /// <returns>EOPNOTSUPP if the server does not know the message.</returns>
    public Errno OpenMany(uint fid, IReadOnlyList<FileName> names, OpenFlags flags, List<int> descriptors)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Topenmany);
            _writer.UInt32(fid);
            _writer.UInt32((uint)flags);
            _writer.UInt16((ushort)names.Count);
            foreach (FileName name in names)
            {
                _writer.String(name.Bytes);
            }

            return _exchange.CallForDescriptors(names.Count, descriptors);
        }
    }

    /// <summary>Makes a regular file and gets its descriptor (<see cref="IsExtended"/> only).</summary>
    public Result<(int Descriptor, NinePAttributes Attributes)> CreateAt(uint fid, ReadOnlySpan<byte> name, OpenFlags flags, Mode mode, uint uid, uint gid)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tcreateat);
            _writer.UInt32(fid);
            _writer.String(name);
            _writer.UInt32((uint)flags);
            _writer.UInt32((uint)mode);
            _writer.UInt32(uid);
            _writer.UInt32(gid);
            return _exchange.CallForDescriptor();
        }
    }

    /// <summary>What a fid is and what some names below it are, each in the one before, in one round trip (<see cref="IsExtended"/> only).</summary>
    /// <param name="fid">Where the path starts.</param>
    /// <param name="path">Names with slashes between; those past the sixteenth do not count. A name that is none ends it.</param>
    /// <param name="found">Receives what was found: the first that is no directory is the last.</param>
    /// <param name="error">Why there is no more; none if there need not be.</param>
    /// <returns>What the fid is; EOPNOTSUPP if the server does not know the message.</returns>
    public Result<NinePAttributes> LookupPath(uint fid, ReadOnlySpan<byte> path, List<(NinePAttributes Attributes, byte[] Target)> found, out Errno error)
    {
        lock (_lock)
        {
            _exchange.Begin(NinePMessageType.Tlookuppath);
            _writer.UInt32(fid);
            return new NinePPathLookup(_exchange, path).Run(found, out error);
        }
    }

    /// <summary>The files of a directory with their attributes: many of them in each round trip (<see cref="IsExtended"/> only).</summary>
    /// <param name="fid">The directory, or the one above it.</param>
    /// <param name="name">Its name there; empty for the fid itself.</param>
    /// <param name="limit">How many files are wanted at most.</param>
    /// <param name="files">Receives them; one whose name is none has an empty one.</param>
    /// <param name="below">Receives directories below that the server tells of by the way; null if they are not wanted.</param>
    /// <param name="wantsFid">Whether the directory is to get a fid.</param>
    /// <param name="made">That fid, which is there even if a later part of the listing fails; null if none was made.</param>
    /// <param name="own">What the directory was before.</param>
    /// <returns>Whether these are all; EOPNOTSUPP if the server does not know the message.</returns>
    public Result<bool> List(uint fid, ReadOnlySpan<byte> name, int limit, List<NinePListedFile> files, List<NinePListedDirectory>? below, bool wantsFid, out uint? made, out NinePAttributes own)
    {
        lock (_lock)
        {
            uint wanted = !wantsFid ? NinePSession.NoFid : TakeFid();
            Result<bool> result = new NinePLister(_exchange, limit, files, below).Run(fid, name, wanted, out made, out own);
            if (wantsFid && made is null)
            {
                _freeFids.Push(wanted);
            }

            return result;
        }
    }

    // What servers had before Tunlinkat; the fid is gone afterwards in any case.
    private Errno RemoveByFid(uint directory, ReadOnlySpan<byte> name)
    {
        if (!Walk(directory, name).TryGet(out uint fid, out Errno errno))
        {
            return errno;
        }

        _exchange.Begin(NinePMessageType.Tremove);
        _writer.UInt32(fid);
        errno = _exchange.Call();
        _freeFids.Push(fid);
        return errno;
    }

    private Errno AgreeOnVersion(string version)
    {
        lock (_lock)
        {
            if (!NinePSteps.AgreeOnVersion(_exchange, version, DefaultMessage).TryGet(out (int MessageSize, bool IsSame) agreed, out Errno errno))
            {
                return errno;
            }

            IsExtended = agreed.IsSame && version == NinePVersion.Extended;
            _messageSize = agreed.MessageSize;
            return Errno.None;
        }
    }
}

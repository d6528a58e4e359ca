using System.Text;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>Serves one connection: reads requests, carries them out on the tree one after the other, answers. Whatever the peer sends, it gets an errno or an answer; only a stream
/// that cannot be cut into messages any more ends the connection.</summary>
public sealed class NinePServer
{
    /// <summary>The largest message.</summary>
    public const int MaxMessage = 1 << 20;

    /// <summary>How many fids a connection may hold.</summary>
    public const int MaxFids = 16384;

    /// <summary>How many files of directories below the one that is listed come with it at most.</summary>
    internal const uint MaxListBelow = 1024;

    internal const int MinMessage = 4096;
    internal const int MaxWalk = 16;
    internal const int IoHeader = NinePWriter.HeaderSize + 4;

    private readonly NinePSession _session;
    private readonly NameRequests _names;
    private readonly ExtensionRequests _extensions;
    private readonly AttributeRequests _attributes;
    private readonly INinePTransport _transport;
    private readonly NinePFile _root;
    private bool _isExtended;

    /// <param name="transport">The connection.</param>
    /// <param name="root">What an attach gets; the server duplicates it.</param>
    public NinePServer(INinePTransport transport, NinePFile root)
    {
        _transport = transport;
        _root = root;
        _session = new NinePSession();
        _names = new NameRequests(_session);
        _extensions = new ExtensionRequests(_session);
        _attributes = new AttributeRequests(_session);
    }

    /// <summary>Serves until the peer has gone.</summary>
    /// <returns>ECONNRESET after an ordinary end; otherwise what went wrong with the stream.</returns>
    public Errno Run()
    {
        NinePStream stream = new(_transport, MaxMessage);
        List<int> received = [];
        try
        {
            while (true)
            {
                Errno errno = stream.Receive(received, out ReadOnlySpan<byte> message);
                received.ForEach(_root.CloseDescriptor); // nobody may send descriptors to a server
                received.Clear();
                if (errno == Errno.None)
                {
                    errno = Serve(message);
                }

                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }
        finally
        {
            _session.Clear();
        }
    }

    private Errno Serve(ReadOnlySpan<byte> message)
    {
        NinePReader reader = new(message[4..]);
        NinePMessageType type = (NinePMessageType)reader.Byte();
        ushort tag = reader.UInt16();
        _session.Writer.Begin((byte)(type + 1), tag);
        Errno errno = Dispatch(type, ref reader);
        if (errno != Errno.None)
        {
            _session.Writer.Begin((byte)NinePMessageType.Rlerror, tag);
            _session.Writer.UInt32((uint)errno);
        }

        errno = _transport.Send(_session.Writer.End(), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_session.Donated));
        _session.Donated.ForEach(_root.CloseDescriptor);
        _session.Donated.Clear();
        return errno;
    }

    private Errno Dispatch(NinePMessageType type, ref NinePReader reader)
    {
        return type switch
        {
            NinePMessageType.Tversion => Version(ref reader),
            NinePMessageType.Tauth => Errno.ENOENT, // says that none is needed: who holds the socket may use it
            NinePMessageType.Tattach => Attach(ref reader),
            NinePMessageType.Tflush => reader.UInt16() >= 0 && reader.IsMalformed ? Errno.EBADMSG : Errno.None, // requests are answered in order: it is done already
            NinePMessageType.Twalk => Walk(ref reader),
            NinePMessageType.Tclunk => Clunk(ref reader),
            NinePMessageType.Tlopen => Open(ref reader),
            NinePMessageType.Tlcreate => Create(ref reader),
            NinePMessageType.Tread => Read(ref reader),
            NinePMessageType.Twrite => Write(ref reader),
            NinePMessageType.Treaddir => ReadDirectory(ref reader),
            NinePMessageType.Tgetattr => GetAttributes(ref reader),
            NinePMessageType.Tsetattr => SetAttributes(ref reader),
            NinePMessageType.Treadlink => ReadLink(ref reader),
            NinePMessageType.Tsymlink => _names.MakeSymlink(ref reader),
            NinePMessageType.Tmkdir => _names.MakeDirectory(ref reader),
            NinePMessageType.Tmknod => _names.MakeNode(ref reader),
            NinePMessageType.Tlink => _names.Link(ref reader),
            NinePMessageType.Trenameat => _names.RenameAt(ref reader),
            NinePMessageType.Tunlinkat => _names.UnlinkAt(ref reader),
            NinePMessageType.Tfsync => Sync(ref reader),
            NinePMessageType.Tstatfs => Statistics(ref reader),
            NinePMessageType.Txattrwalk => _attributes.Walk(ref reader),
            NinePMessageType.Txattrcreate => _attributes.Create(ref reader),
            NinePMessageType.Tlookup when _isExtended => _extensions.Lookup(ref reader),
            NinePMessageType.Topenat when _isExtended => _extensions.OpenAt(ref reader),
            NinePMessageType.Tcreateat when _isExtended => _extensions.CreateAt(ref reader),
            NinePMessageType.Tlist when _isExtended => _extensions.List(ref reader),
            NinePMessageType.Topenmany when _isExtended => _extensions.OpenMany(ref reader),
            NinePMessageType.Tlookuppath when _isExtended => _extensions.LookupPath(ref reader),
            _ => Errno.EOPNOTSUPP,
        };
    }

    private Errno Version(ref NinePReader reader)
    {
        uint size = reader.UInt32();
        string version = Encoding.UTF8.GetString(reader.String());
        if (reader.IsMalformed || size < MinMessage)
        {
            return reader.IsMalformed ? Errno.EBADMSG : Errno.EINVAL;
        }

        _session.Clear(); // a session starts anew
        _session.MessageSize = (int)Math.Min(size, MaxMessage);
        _isExtended = version == NinePVersion.Extended;
        string answer = _isExtended ? NinePVersion.Extended
            : version == NinePVersion.Linux || version.StartsWith(NinePVersion.Linux + ".", StringComparison.Ordinal) ? NinePVersion.Linux : NinePVersion.Unknown;
        _session.Writer.UInt32((uint)_session.MessageSize);
        _session.Writer.String(answer);
        return Errno.None;
    }

    private Errno Attach(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        reader.UInt32(); // afid
        reader.String(); // uname
        reader.String(); // aname: there is one tree
        if (reader.IsMalformed)
        {
            return Errno.EBADMSG;
        }

        if (!_root.Duplicate().TryGet(out NinePFile? file, out Errno errno))
        {
            return errno;
        }

        errno = _session.Install(number, file);
        return errno != Errno.None ? errno : _session.WriteQid(file);
    }

    private Errno Walk(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        uint newNumber = reader.UInt32();
        int count = reader.UInt16();
        if (count > MaxWalk)
        {
            return Errno.EINVAL;
        }

        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.Duplicate().TryGet(out NinePFile? current, out errno))
        {
            return errno;
        }

        int countPosition = _session.Writer.Length;
        _session.Writer.UInt16(0);
        int walked = 0;
        for (; walked < count; walked++)
        {
            ReadOnlySpan<byte> name = reader.String();
            errno = reader.IsMalformed ? Errno.EBADMSG : Step(ref current, name);
            if (errno != Errno.None)
            {
                break;
            }

            if (!current.GetAttributes().TryGet(out NinePAttributes attributes, out errno))
            {
                break;
            }

            _session.Writer.Qid(attributes.Qid);
        }

        if (walked < count)
        {
            // As far as it went: the new fid comes only with the last name, an error only for the first.
            current.Dispose();
            if (walked == 0 || errno == Errno.EBADMSG)
            {
                return errno;
            }
        }
        else
        {
            errno = number == newNumber ? NinePSession.Replace(fid, current) : _session.Install(newNumber, current);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        _session.Writer.PatchUInt16(countPosition, (ushort)walked);
        return Errno.None;
    }

    private static Errno Step(ref NinePFile current, ReadOnlySpan<byte> name)
    {
        Result<NinePFile> next = name.SequenceEqual(".."u8) ? current.Parent() : NinePSession.CheckName(name) is var fault and not Errno.None ? fault : current.Walk(name);
        if (!next.TryGet(out NinePFile? found, out Errno errno))
        {
            return errno;
        }

        current.Dispose();
        current = found;
        return Errno.None;
    }

    private Errno Clunk(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        errno = fid.File.Complete();
        _session.Remove(number);
        return errno;
    }

    private Errno Open(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        if (fid.IsOpen)
        {
            return Errno.EBUSY;
        }

        errno = fid.File.Open(flags);
        if (errno != Errno.None)
        {
            return errno;
        }

        fid.IsOpen = true;
        errno = _session.WriteQid(fid.File);
        _session.Writer.UInt32((uint)(_session.MessageSize - IoHeader));
        return errno;
    }

    private Errno Create(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        Mode mode = (Mode)reader.UInt32();
        uint gid = reader.UInt32();
        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        errno = fid.IsOpen ? Errno.EBUSY : NinePSession.CheckName(name);
        if (errno == Errno.None)
        {
            errno = fid.File.Create(name, flags, mode & Mode.PermissionMask, gid);
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        fid.IsOpen = true;
        errno = _session.WriteQid(fid.File);
        _session.Writer.UInt32((uint)(_session.MessageSize - IoHeader));
        return errno;
    }

    private Errno Read(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ulong offset = reader.UInt64();
        uint count = reader.UInt32();
        if (!_session.FindOpen(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        int wanted = (int)Math.Min(count, (uint)(_session.MessageSize - IoHeader));
        int position = _session.Writer.Length;
        _session.Writer.UInt32(0);
        if (!fid.File.Read(offset, _session.Writer.Take(wanted)).TryGet(out int got, out errno))
        {
            return errno;
        }

        _session.Writer.GiveBack(wanted - got);
        _session.Writer.PatchUInt32(position, (uint)got);
        return Errno.None;
    }

    private Errno Write(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ulong offset = reader.UInt64();
        uint count = reader.UInt32();
        ReadOnlySpan<byte> bytes = reader.Bytes((int)Math.Min(count, int.MaxValue));
        if (!_session.FindOpen(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.Write(offset, bytes).TryGet(out int put, out errno))
        {
            return errno;
        }

        _session.Writer.UInt32((uint)put);
        return Errno.None;
    }

    private Errno ReadDirectory(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ulong offset = reader.UInt64();
        uint count = reader.UInt32();
        if (!_session.FindOpen(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        int position = _session.Writer.Length;
        _session.Writer.UInt32(0);
        errno = fid.File.ReadDirectory(offset, new NinePDirectorySink(_session.Writer, (int)Math.Min(count, (uint)(_session.MessageSize - IoHeader))));
        _session.Writer.PatchUInt32(position, (uint)(_session.Writer.Length - position - 4));
        return errno;
    }

    private Errno GetAttributes(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        reader.UInt64(); // which ones are wanted: the basic ones are what there is
        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.GetAttributes().TryGet(out NinePAttributes attributes, out errno))
        {
            return errno;
        }

        attributes.Write(_session.Writer);
        return Errno.None;
    }

    private Errno SetAttributes(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        NinePAttributeChange change = NinePAttributeChange.Read(ref reader);
        return _session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.File.SetAttributes(change) : errno;
    }

    private Errno ReadLink(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.ReadLink().TryGet(out byte[]? target, out errno))
        {
            return errno;
        }

        _session.Writer.String(target);
        return Errno.None;
    }

    private Errno Sync(ref NinePReader reader)
    {
        // The second field came later; clients without it want all.
        uint number = reader.UInt32();
        bool dataOnly = reader.Remaining >= 4 && reader.UInt32() != 0;
        return _session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.File.Sync(dataOnly) : errno;
    }

    private Errno Statistics(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        if (!_session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.GetStatistics().TryGet(out NinePStatistics found, out errno))
        {
            return errno;
        }

        _session.Writer.UInt32(found.Type);
        _session.Writer.UInt32(found.BlockSize);
        _session.Writer.UInt64(found.Blocks);
        _session.Writer.UInt64(found.BlocksFree);
        _session.Writer.UInt64(found.BlocksAvailable);
        _session.Writer.UInt64(found.Files);
        _session.Writer.UInt64(found.FilesFree);
        _session.Writer.UInt64(found.Identifier);
        _session.Writer.UInt32(found.NameLength);
        return Errno.None;
    }
}

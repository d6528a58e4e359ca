using System.Text;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>Serves one connection: reads requests, carries them out on the tree one after the other, answers. Whatever the peer sends, it gets an errno or an answer; only a stream
/// that cannot be cut into messages any more ends the connection.</summary>
/// <param name="transport">The connection.</param>
/// <param name="root">What an attach gets; the server duplicates it.</param>
public sealed class NinePServer(INinePTransport transport, NinePFile root)
{
    /// <summary>The largest message.</summary>
    public const int MaxMessage = 1 << 20;

    /// <summary>How many fids a connection may hold.</summary>
    public const int MaxFids = 16384;

    private const int MinMessage = 4096;
    private const int MaxWalk = 16;
    private const int IoHeader = NinePWriter.HeaderSize + 4;

    private readonly Dictionary<uint, NinePFid> _fids = [];
    private readonly NinePWriter _writer = new(MaxMessage);
    private readonly List<int> _donated = [];
    private int _messageSize = MinMessage;
    private bool _isExtended;

    /// <summary>Serves until the peer has gone.</summary>
    /// <returns>ECONNRESET after an ordinary end; otherwise what went wrong with the stream.</returns>
    public Errno Run()
    {
        NinePStream stream = new(transport, MaxMessage);
        List<int> received = [];
        try
        {
            while (true)
            {
                Errno errno = stream.Receive(received, out ReadOnlySpan<byte> message);
                received.ForEach(root.CloseDescriptor); // nobody may send descriptors to a server
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
            Clear();
        }
    }

    private Errno Serve(ReadOnlySpan<byte> message)
    {
        NinePReader reader = new(message[4..]);
        NinePMessageType type = (NinePMessageType)reader.Byte();
        ushort tag = reader.UInt16();
        _writer.Begin((byte)(type + 1), tag);
        Errno errno = Dispatch(type, ref reader);
        if (errno != Errno.None)
        {
            _writer.Begin((byte)NinePMessageType.Rlerror, tag);
            _writer.UInt32((uint)errno);
        }

        errno = transport.Send(_writer.End(), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_donated));
        _donated.ForEach(root.CloseDescriptor);
        _donated.Clear();
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
            NinePMessageType.Tsymlink => MakeSymlink(ref reader),
            NinePMessageType.Tmkdir => MakeDirectory(ref reader),
            NinePMessageType.Tmknod => MakeNode(ref reader),
            NinePMessageType.Tlink => Link(ref reader),
            NinePMessageType.Trenameat => RenameAt(ref reader),
            NinePMessageType.Tunlinkat => UnlinkAt(ref reader),
            NinePMessageType.Tfsync => Sync(ref reader),
            NinePMessageType.Tstatfs => Statistics(ref reader),
            NinePMessageType.Tlookup when _isExtended => Lookup(ref reader),
            NinePMessageType.Topenat when _isExtended => OpenAt(ref reader),
            NinePMessageType.Tcreateat when _isExtended => CreateAt(ref reader),
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

        Clear(); // a session starts anew
        _messageSize = (int)Math.Min(size, MaxMessage);
        _isExtended = version == NinePVersion.Extended;
        string answer = _isExtended ? NinePVersion.Extended
            : version == NinePVersion.Linux || version.StartsWith(NinePVersion.Linux + ".", StringComparison.Ordinal) ? NinePVersion.Linux : NinePVersion.Unknown;
        _writer.UInt32((uint)_messageSize);
        _writer.String(answer);
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

        if (!root.Duplicate().TryGet(out NinePFile? file, out Errno errno))
        {
            return errno;
        }

        errno = Install(number, file);
        return errno != Errno.None ? errno : WriteQid(file);
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

        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.Duplicate().TryGet(out NinePFile? current, out errno))
        {
            return errno;
        }

        int countPosition = _writer.Length;
        _writer.UInt16(0);
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

            _writer.Qid(attributes.Qid);
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
            errno = number == newNumber ? Replace(fid, current) : Install(newNumber, current);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        _writer.PatchUInt16(countPosition, (ushort)walked);
        return Errno.None;
    }

    private static Errno Step(ref NinePFile current, ReadOnlySpan<byte> name)
    {
        Result<NinePFile> next = name.SequenceEqual(".."u8) ? current.Parent() : CheckName(name) is var fault and not Errno.None ? fault : current.Walk(name);
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
        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        _fids.Remove(number);
        fid.File.Dispose();
        return Errno.None;
    }

    private Errno Open(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
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
        errno = WriteQid(fid.File);
        _writer.UInt32((uint)(_messageSize - IoHeader));
        return errno;
    }

    private Errno Create(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        Mode mode = (Mode)reader.UInt32();
        uint gid = reader.UInt32();
        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        errno = fid.IsOpen ? Errno.EBUSY : CheckName(name);
        if (errno == Errno.None)
        {
            errno = fid.File.Create(name, flags, mode & Mode.PermissionMask, gid);
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        fid.IsOpen = true;
        errno = WriteQid(fid.File);
        _writer.UInt32((uint)(_messageSize - IoHeader));
        return errno;
    }

    private Errno Read(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ulong offset = reader.UInt64();
        uint count = reader.UInt32();
        if (!FindOpen(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        int wanted = (int)Math.Min(count, (uint)(_messageSize - IoHeader));
        int position = _writer.Length;
        _writer.UInt32(0);
        if (!fid.File.Read(offset, _writer.Take(wanted)).TryGet(out int got, out errno))
        {
            return errno;
        }

        _writer.GiveBack(wanted - got);
        _writer.PatchUInt32(position, (uint)got);
        return Errno.None;
    }

    private Errno Write(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ulong offset = reader.UInt64();
        uint count = reader.UInt32();
        ReadOnlySpan<byte> bytes = reader.Bytes((int)Math.Min(count, int.MaxValue));
        if (!FindOpen(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.Write(offset, bytes).TryGet(out int put, out errno))
        {
            return errno;
        }

        _writer.UInt32((uint)put);
        return Errno.None;
    }

    private Errno ReadDirectory(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ulong offset = reader.UInt64();
        uint count = reader.UInt32();
        if (!FindOpen(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        int position = _writer.Length;
        _writer.UInt32(0);
        errno = fid.File.ReadDirectory(offset, new NinePDirectorySink(_writer, (int)Math.Min(count, (uint)(_messageSize - IoHeader))));
        _writer.PatchUInt32(position, (uint)(_writer.Length - position - 4));
        return errno;
    }

    private Errno GetAttributes(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        reader.UInt64(); // which ones are wanted: the basic ones are what there is
        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.GetAttributes().TryGet(out NinePAttributes attributes, out errno))
        {
            return errno;
        }

        attributes.Write(_writer);
        return Errno.None;
    }

    private Errno SetAttributes(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        NinePAttributeChange change = NinePAttributeChange.Read(ref reader);
        return Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.File.SetAttributes(change) : errno;
    }

    private Errno ReadLink(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.ReadLink().TryGet(out byte[]? target, out errno))
        {
            return errno;
        }

        _writer.String(target);
        return Errno.None;
    }

    private Errno MakeSymlink(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        ReadOnlySpan<byte> target = reader.String();
        uint gid = reader.UInt32();
        return FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? WriteQid(fid.File.MakeSymlink(name, target, gid)) : errno;
    }

    private Errno MakeDirectory(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        Mode mode = (Mode)reader.UInt32();
        uint gid = reader.UInt32();
        return FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? WriteQid(fid.File.MakeDirectory(name, mode & Mode.PermissionMask, gid)) : errno;
    }

    private Errno MakeNode(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        Mode mode = (Mode)reader.UInt32();
        uint major = reader.UInt32();
        uint minor = reader.UInt32();
        uint gid = reader.UInt32();
        return FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? WriteQid(fid.File.MakeNode(name, mode, new DeviceNumber(major, minor), gid)) : errno;
    }

    private Errno Link(ref NinePReader reader)
    {
        uint directory = reader.UInt32();
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        return FindDirectory(directory, name, ref reader).TryGet(out NinePFid? into, out Errno errno) && Find(number, ref reader).TryGet(out NinePFid? fid, out errno)
            ? into.File.Link(name, fid.File) : errno;
    }

    private Errno RenameAt(ref NinePReader reader)
    {
        uint from = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        uint to = reader.UInt32();
        ReadOnlySpan<byte> newName = reader.String();
        return FindDirectory(from, name, ref reader).TryGet(out NinePFid? old, out Errno errno) && FindDirectory(to, newName, ref reader).TryGet(out NinePFid? target, out errno)
            ? old.File.Rename(name, target.File, newName) : errno;
    }

    private Errno UnlinkAt(ref NinePReader reader)
    {
        const uint RemoveDirectory = 0x200;
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        uint flags = reader.UInt32();
        return FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.File.Unlink(name, (flags & RemoveDirectory) != 0) : errno;
    }

    private Errno Sync(ref NinePReader reader)
    {
        // The second field came later; clients without it want all.
        uint number = reader.UInt32();
        bool dataOnly = reader.Remaining >= 4 && reader.UInt32() != 0;
        return Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.File.Sync(dataOnly) : errno;
    }

    private Errno Statistics(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        if (!Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.GetStatistics().TryGet(out NinePStatistics found, out errno))
        {
            return errno;
        }

        _writer.UInt32(found.Type);
        _writer.UInt32(found.BlockSize);
        _writer.UInt64(found.Blocks);
        _writer.UInt64(found.BlocksFree);
        _writer.UInt64(found.BlocksAvailable);
        _writer.UInt64(found.Files);
        _writer.UInt64(found.FilesFree);
        _writer.UInt64(found.Identifier);
        _writer.UInt32(found.NameLength);
        return Errno.None;
    }

    private Errno Lookup(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        if (!FindForName(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.Lookup(name, out byte[] target).TryGet(out NinePAttributes attributes, out errno))
        {
            return errno;
        }

        attributes.Write(_writer);
        _writer.String(target);
        return Errno.None;
    }

    private Errno OpenAt(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        if (!FindForName(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.OpenDescriptor(name, flags, out NinePAttributes attributes).TryGet(out int descriptor, out errno))
        {
            return errno;
        }

        _donated.Add(descriptor);
        attributes.Write(_writer);
        return Errno.None;
    }

    private Errno CreateAt(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        Mode mode = (Mode)reader.UInt32();
        uint uid = reader.UInt32();
        uint gid = reader.UInt32();
        if (!FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno)
            || !fid.File.CreateDescriptor(name, flags, mode & Mode.PermissionMask, uid, gid, out NinePAttributes attributes).TryGet(out int descriptor, out errno))
        {
            return errno;
        }

        _donated.Add(descriptor);
        attributes.Write(_writer);
        return Errno.None;
    }

    private Result<NinePFid> Find(uint number, ref NinePReader reader) =>
        reader.IsMalformed ? Errno.EBADMSG : _fids.TryGetValue(number, out NinePFid? fid) ? fid : Errno.EBADF;

    private Result<NinePFid> FindOpen(uint number, ref NinePReader reader) =>
        Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.IsOpen ? fid : Errno.EBADF : errno;

    private Result<NinePFid> FindDirectory(uint number, ReadOnlySpan<byte> name, ref NinePReader reader) =>
        Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? CheckName(name) is var fault and not Errno.None ? fault : fid : errno;

    private Result<NinePFid> FindForName(uint number, ReadOnlySpan<byte> name, ref NinePReader reader) =>
        name.IsEmpty ? Find(number, ref reader) : FindDirectory(number, name, ref reader);

    private static Errno CheckName(ReadOnlySpan<byte> name)
    {
        bool isValid = !name.IsEmpty && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8) && name.IndexOfAny((byte)'/', (byte)0) < 0;
        return !isValid ? Errno.EINVAL : name.Length > FileName.MaxLength ? Errno.ENAMETOOLONG : Errno.None;
    }

    private Errno Install(uint number, NinePFile file)
    {
        if (_fids.Count < MaxFids && _fids.TryAdd(number, new NinePFid(file)))
        {
            return Errno.None;
        }

        file.Dispose();
        return _fids.Count >= MaxFids ? Errno.EMFILE : Errno.EBADF;
    }

    private static Errno Replace(NinePFid fid, NinePFile file)
    {
        if (fid.IsOpen)
        {
            file.Dispose();
            return Errno.EBUSY;
        }

        fid.File.Dispose();
        fid.File = file;
        return Errno.None;
    }

    private Errno WriteQid(NinePFile file)
    {
        if (!file.GetAttributes().TryGet(out NinePAttributes attributes, out Errno errno))
        {
            return errno;
        }

        _writer.Qid(attributes.Qid);
        return Errno.None;
    }

    private Errno WriteQid(Result<Qid> made)
    {
        if (!made.TryGet(out Qid qid, out Errno errno))
        {
            return errno;
        }

        _writer.Qid(qid);
        return Errno.None;
    }

    private void Clear()
    {
        foreach (NinePFid fid in _fids.Values)
        {
            fid.File.Dispose();
        }

        _fids.Clear();
    }
}

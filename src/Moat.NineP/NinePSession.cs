using Moat.Linux;

namespace Moat.NineP;

/// <summary>What a server knows of its peer: the fids, and the answer that is being written.</summary>
internal sealed class NinePSession
{
    /// <summary>NOFID: no fid.</summary>
    public const uint NoFid = uint.MaxValue;

    private readonly Dictionary<uint, NinePFid> _fids = [];

    /// <summary>Takes the answer's fields.</summary>
    public NinePWriter Writer { get; } = new(NinePServer.MaxMessage);

    /// <summary>The largest message that was agreed on.</summary>
    public int MessageSize { get; set; } = NinePServer.MinMessage;

    /// <summary>Descriptors that go with the answer; the session owns them.</summary>
    public List<int> Donated { get; } = [];

    /// <summary>A fid, once all fields of the request have been read: EBADMSG for a short request, EBADF.</summary>
    public Result<NinePFid> Find(uint number, ref NinePReader reader) =>
        reader.IsMalformed ? Errno.EBADMSG : _fids.TryGetValue(number, out NinePFid? fid) ? fid : Errno.EBADF;

    /// <summary>The same for one that must be open.</summary>
    public Result<NinePFid> FindOpen(uint number, ref NinePReader reader) =>
        Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.IsOpen ? fid : Errno.EBADF : errno;

    /// <summary>The same for one in which a name is looked for or made: EINVAL, ENAMETOOLONG for what is no name.</summary>
    public Result<NinePFid> FindDirectory(uint number, ReadOnlySpan<byte> name, ref NinePReader reader) =>
        Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? CheckName(name) is var fault and not Errno.None ? fault : fid : errno;

    /// <summary>The same where an empty name means the fid itself.</summary>
    public Result<NinePFid> FindForName(uint number, ReadOnlySpan<byte> name, ref NinePReader reader) =>
        name.IsEmpty ? Find(number, ref reader) : FindDirectory(number, name, ref reader);

    /// <summary>Whether bytes are one component that names something.</summary>
    public static Errno CheckName(ReadOnlySpan<byte> name)
    {
        bool isValid = !name.IsEmpty && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8) && name.IndexOfAny((byte)'/', (byte)0) < 0;
        return !isValid ? Errno.EINVAL : name.Length > FileName.MaxLength ? Errno.ENAMETOOLONG : Errno.None;
    }

    /// <summary>Gives a file a fid and takes it over: EMFILE, EBADF if the number is in use.</summary>
    public Errno Install(uint number, NinePFile file)
    {
        if (_fids.Count < NinePServer.MaxFids && _fids.TryAdd(number, new NinePFid(file)))
        {
            return Errno.None;
        }

        file.Dispose();
        return _fids.Count >= NinePServer.MaxFids ? Errno.EMFILE : Errno.EBADF;
    }

    /// <summary>Gives a fid back.</summary>
    public void Remove(uint number)
    {
        if (_fids.Remove(number, out NinePFid? fid))
        {
            fid.File.Dispose();
        }
    }

    /// <summary>Has a fid refer to another file, which it takes over: EBUSY if it is open.</summary>
    public static Errno Replace(NinePFid fid, NinePFile file)
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

    /// <summary>Answers with a file's identification.</summary>
    public Errno WriteQid(NinePFile file)
    {
        if (!file.GetAttributes().TryGet(out NinePAttributes attributes, out Errno errno))
        {
            return errno;
        }

        Writer.Qid(attributes.Qid);
        return Errno.None;
    }

    /// <summary>Answers with the identification of what was made.</summary>
    public Errno WriteQid(Result<Qid> made)
    {
        if (!made.TryGet(out Qid qid, out Errno errno))
        {
            return errno;
        }

        Writer.Qid(qid);
        return Errno.None;
    }

    /// <summary>Gives all fids back.</summary>
    public void Clear()
    {
        foreach (NinePFid fid in _fids.Values)
        {
            fid.File.Dispose();
        }

        _fids.Clear();
    }
}

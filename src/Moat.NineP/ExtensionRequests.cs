using Moat.Linux;

namespace Moat.NineP;

/// <summary>A server's answers to Moat's own requests (<see cref="NinePVersion.Extended"/>).</summary>
internal sealed class ExtensionRequests(NinePSession session)
{
    /// <summary>Tlookup.</summary>
    public Errno Lookup(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        if (!session.FindForName(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.Lookup(name, out byte[] target).TryGet(out NinePAttributes attributes, out errno))
        {
            return errno;
        }

        attributes.Write(session.Writer);
        session.Writer.String(target);
        return Errno.None;
    }

    /// <summary>Topenat.</summary>
    public Errno OpenAt(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        if (!session.FindForName(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.OpenDescriptor(name, flags, out NinePAttributes attributes).TryGet(out int descriptor, out errno))
        {
            return errno;
        }

        session.Donated.Add(descriptor);
        attributes.Write(session.Writer);
        return Errno.None;
    }

    /// <summary>Topenmany.</summary>
    public Errno OpenMany(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        int count = reader.UInt16();
        if (count > NinePServer.MaxWalk)
        {
            return Errno.EINVAL;
        }

        NinePReader names = reader;
        Errno fault = CheckNames(ref reader, count);
        if (fault != Errno.None || !session.Find(number, ref reader).TryGet(out NinePFid? fid, out fault))
        {
            return fault;
        }

        for (int i = 0; i < count; i++)
        {
            Result<int> opened = fid.File.OpenDescriptor(names.String(), flags, out _);
            session.Writer.UInt32((uint)opened.Errno);
            if (opened.IsOk)
            {
                session.Donated.Add(opened.Value);
            }
        }

        return Errno.None;
    }

    /// <summary>Tcreateat.</summary>
    public Errno CreateAt(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        OpenFlags flags = (OpenFlags)reader.UInt32();
        Mode mode = (Mode)reader.UInt32();
        uint uid = reader.UInt32();
        uint gid = reader.UInt32();
        if (!session.FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno)
            || !fid.File.CreateDescriptor(name, flags, mode & Mode.PermissionMask, uid, gid, out NinePAttributes attributes).TryGet(out int descriptor, out errno))
        {
            return errno;
        }

        session.Donated.Add(descriptor);
        attributes.Write(session.Writer);
        return Errno.None;
    }

    /// <summary>Tlist.</summary>
    public Errno List(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        uint newNumber = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        ulong cookie = reader.UInt64();
        int below = (int)Math.Min(reader.UInt32(), NinePServer.MaxListBelow);
        if (!session.FindForName(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        NinePFile directory = fid.File;
        bool wantsFid = newNumber != NinePSession.NoFid;
        if ((!name.IsEmpty || wantsFid) && !(name.IsEmpty ? fid.File.Duplicate() : fid.File.Walk(name)).TryGet(out directory!, out errno))
        {
            return errno;
        }

        errno = new ListRequest(session, below).Run(directory, cookie);
        if (errno == Errno.None && wantsFid)
        {
            return session.Install(newNumber, directory);
        }

        if (directory != fid.File)
        {
            directory.Dispose();
        }

        return errno;
    }

    /// <summary>Tlookuppath.</summary>
    public Errno LookupPath(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        int count = reader.UInt16();
        if (count > NinePServer.MaxWalk)
        {
            return Errno.EINVAL;
        }

        NinePReader names = reader;
        Errno fault = CheckNames(ref reader, count);
        if (fault != Errno.None)
        {
            return fault;
        }

        if (!session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno) || !fid.File.GetAttributes().TryGet(out NinePAttributes own, out errno))
        {
            return errno;
        }

        own.Write(session.Writer);
        int errorPosition = session.Writer.Length;
        session.Writer.UInt32(0);
        session.Writer.UInt16(0);
        NinePFile at = fid.File;
        int found = 0;
        while (found < count && errno == Errno.None && (own.Mode & Mode.S_IFMT) == Mode.S_IFDIR)
        {
            errno = LookupStep(ref at, names.String(), isOwned: at != fid.File, out own);
            found += errno == Errno.None ? 1 : 0;
        }

        if (at != fid.File)
        {
            at.Dispose();
        }

        session.Writer.PatchUInt32(errorPosition, (uint)errno);
        session.Writer.PatchUInt16(errorPosition + sizeof(uint), (ushort)found);
        return Errno.None;
    }

    // All names are checked before the first is looked for.
    private static Errno CheckNames(ref NinePReader reader, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Errno fault = NinePSession.CheckName(reader.String());
            if (fault != Errno.None && !reader.IsMalformed)
            {
                return fault;
            }
        }

        return reader.IsMalformed ? Errno.EBADMSG : Errno.None;
    }

    // Goes down to an entry and answers with what it is: nothing has been written if that fails.
    private Errno LookupStep(ref NinePFile at, ReadOnlySpan<byte> name, bool isOwned, out NinePAttributes attributes)
    {
        attributes = default;
        if (!at.Walk(name).TryGet(out NinePFile? next, out Errno errno))
        {
            return errno;
        }

        if (isOwned)
        {
            at.Dispose();
        }

        at = next;
        byte[]? target = [];
        if (!next.GetAttributes().TryGet(out attributes, out errno) || ((attributes.Mode & Mode.S_IFMT) == Mode.S_IFLNK && !next.ReadLink().TryGet(out target, out errno)))
        {
            return errno;
        }

        if (session.Writer.Length + NinePAttributes.BytesInMessage + 2 + target.Length > session.MessageSize)
        {
            return Errno.EOVERFLOW;
        }

        attributes.Write(session.Writer);
        session.Writer.String(target);
        return Errno.None;
    }
}

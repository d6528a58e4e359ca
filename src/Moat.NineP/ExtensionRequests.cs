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
}

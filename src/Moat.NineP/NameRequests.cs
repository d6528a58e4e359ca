using Moat.Linux;

namespace Moat.NineP;

/// <summary>A server's answers to requests that make, move and remove names.</summary>
internal sealed class NameRequests(NinePSession session)
{
    /// <summary>Tsymlink.</summary>
    public Errno MakeSymlink(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        ReadOnlySpan<byte> target = reader.String();
        uint gid = reader.UInt32();
        return session.FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? session.WriteQid(fid.File.MakeSymlink(name, target, gid)) : errno;
    }

    /// <summary>Tmkdir.</summary>
    public Errno MakeDirectory(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        Mode mode = (Mode)reader.UInt32();
        uint gid = reader.UInt32();
        return session.FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? session.WriteQid(fid.File.MakeDirectory(name, mode & Mode.PermissionMask, gid)) : errno;
    }

    /// <summary>Tmknod.</summary>
    public Errno MakeNode(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        Mode mode = (Mode)reader.UInt32();
        uint major = reader.UInt32();
        uint minor = reader.UInt32();
        uint gid = reader.UInt32();
        return session.FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? session.WriteQid(fid.File.MakeNode(name, mode, new DeviceNumber(major, minor), gid)) : errno;
    }

    /// <summary>Tlink.</summary>
    public Errno Link(ref NinePReader reader)
    {
        uint directory = reader.UInt32();
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        return session.FindDirectory(directory, name, ref reader).TryGet(out NinePFid? into, out Errno errno) && session.Find(number, ref reader).TryGet(out NinePFid? fid, out errno)
            ? into.File.Link(name, fid.File) : errno;
    }

    /// <summary>Trenameat.</summary>
    public Errno RenameAt(ref NinePReader reader)
    {
        uint from = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        uint to = reader.UInt32();
        ReadOnlySpan<byte> newName = reader.String();
        return session.FindDirectory(from, name, ref reader).TryGet(out NinePFid? old, out Errno errno) && session.FindDirectory(to, newName, ref reader).TryGet(out NinePFid? target, out errno)
            ? old.File.Rename(name, target.File, newName) : errno;
    }

    /// <summary>Tunlinkat.</summary>
    public Errno UnlinkAt(ref NinePReader reader)
    {
        const uint RemoveDirectory = 0x200;
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        uint flags = reader.UInt32();
        return session.FindDirectory(number, name, ref reader).TryGet(out NinePFid? fid, out Errno errno) ? fid.File.Unlink(name, (flags & RemoveDirectory) != 0) : errno;
    }
}

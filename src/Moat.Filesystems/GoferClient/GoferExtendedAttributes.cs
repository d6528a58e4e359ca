using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>Extended attributes of files at the Gofer: those of users, which are the application's own; what the host's kernel goes by (security.*, trusted.*, system.*) is not for guests. They are asked
/// for each time. A file that has lost its name cannot be asked for: EOPNOTSUPP.</summary>
internal static class GoferExtendedAttributes
{
    /// <summary>getxattr(2).</summary>
    public static Result<byte[]> Get(GoferInode inode, ReadOnlySpan<byte> name)
    {
        if (!IsServed(name))
        {
            return Errno.EOPNOTSUPP;
        }

        return Ask(inode, name);
    }

    /// <summary>listxattr(2).</summary>
    public static Result<byte[]> List(GoferInode inode) => inode.FileType is Mode.S_IFREG or Mode.S_IFDIR ? Ask(inode, default) : Array.Empty<byte>();

    /// <summary>setxattr(2).</summary>
    public static Errno Set(GoferInode inode, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags)
    {
        if (!IsServed(name))
        {
            return Errno.EOPNOTSUPP;
        }

        lock (inode.Tree.Connection.Lock)
        {
            return Reach(inode).TryGet(out uint own, out Errno errno) ? inode.Tree.Connection.Client.Attributes.Set(own, name, value, flags) : errno;
        }
    }

    /// <summary>removexattr(2).</summary>
    public static Errno Remove(GoferInode inode, ReadOnlySpan<byte> name)
    {
        if (!IsServed(name))
        {
            return Errno.EOPNOTSUPP;
        }

        lock (inode.Tree.Connection.Lock)
        {
            return Reach(inode).TryGet(out uint own, out Errno errno) ? inode.Tree.Connection.Client.Attributes.Remove(own, name) : errno;
        }
    }

    private static bool IsServed(ReadOnlySpan<byte> name) => name.StartsWith("user."u8);

    private static Result<byte[]> Ask(GoferInode inode, ReadOnlySpan<byte> name)
    {
        NinePClient client = inode.Tree.Connection.Client;
        lock (inode.Tree.Connection.Lock)
        {
            if (!Reach(inode).TryGet(out uint own, out Errno errno))
            {
                return errno;
            }

            Result<byte[]> value = client.Attributes.Get(own, name);
            client.Clunk(own);
            return value;
        }
    }

    // A fid of the file's own, with the connection's lock held.
    private static Result<uint> Reach(GoferInode inode) =>
        inode.Tree.Connection.Locate(inode, out ReadOnlySpan<byte> name).TryGet(out uint above, out Errno errno) ? inode.Tree.Connection.Client.Walk(above, name)
            : errno == Errno.ENOENT ? Errno.EOPNOTSUPP : errno;
}

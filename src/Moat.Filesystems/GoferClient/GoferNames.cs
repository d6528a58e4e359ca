using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>Makes, links, renames and removes files at the Gofer. The VFS has checked what may be done, and holds the directories' locks.</summary>
internal static class GoferNames
{
    public static Result<Inode> MakeNode(GuestTask task, GoferInode directory, FileName name, Mode mode, DeviceNumber device, in NewOwner owner)
    {
        uint gid = owner.Gid;
        return (mode & Mode.S_IFMT) == Mode.S_IFREG ? MakeRegular(directory, name, mode & Mode.PermissionMask, owner)
            : Make(task, directory, name, owner.Uid, (client, fid) => client.MakeNode(fid, name.Bytes, mode, device, gid));
    }

    public static Result<Inode> MakeDirectory(GuestTask task, GoferInode directory, FileName name, Mode permissions, in NewOwner owner)
    {
        uint gid = owner.Gid;
        return Make(task, directory, name, owner.Uid, (client, fid) => client.MakeDirectory(fid, name.Bytes, permissions, gid));
    }

    public static Result<Inode> MakeSymlink(GuestTask task, GoferInode directory, FileName name, ReadOnlySpan<byte> target, in NewOwner owner)
    {
        uint gid = owner.Gid;
        byte[] text = target.ToArray();
        return Make(task, directory, name, owner.Uid, (client, fid) => client.MakeSymlink(fid, name.Bytes, text, gid));
    }

    public static Errno Link(GoferInode directory, FileName name, GoferInode target)
    {
        GoferConnection connection = directory.Tree.Connection;
        lock (connection.Lock)
        {
            if (!connection.Locate(target, out ReadOnlySpan<byte> old).TryGet(out uint above, out Errno errno)
                || !connection.Client.Walk(above, old).TryGet(out uint own, out errno))
            {
                return errno;
            }

            errno = connection.FidOf(directory).TryGet(out uint fid, out errno) ? connection.Client.Link(fid, own, name.Bytes) : errno;
            connection.Client.Clunk(own);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        target.Places.Add(directory, name);
        target.CountLink(1);
        return Errno.None;
    }

    public static Errno Rename(GoferInode directory, FileName name, GoferInode moved, GoferInode newDirectory, FileName newName, GoferInode? replaced)
    {
        GoferConnection connection = directory.Tree.Connection;
        lock (connection.Lock)
        {
            if (!connection.FidOf(directory).TryGet(out uint from, out Errno errno) || !connection.FidOf(newDirectory).TryGet(out uint to, out errno))
            {
                return errno;
            }

            errno = connection.Client.Rename(from, name.Bytes, to, newName.Bytes);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        replaced?.Places.Remove(newDirectory, newName);
        replaced?.CountLink(-1);
        moved.Places.Move(directory, name, newDirectory, newName);
        return Errno.None;
    }

    public static Errno Remove(GoferInode directory, FileName name, GoferInode child, bool isDirectory)
    {
        GoferConnection connection = directory.Tree.Connection;
        lock (connection.Lock)
        {
            if (!connection.FidOf(directory).TryGet(out uint fid, out Errno errno))
            {
                return errno;
            }

            errno = connection.Client.Unlink(fid, name.Bytes, isDirectory);
            if (errno != Errno.None)
            {
                return errno;
            }

            connection.Forget(child);
        }

        child.Places.Remove(directory, name);
        child.CountLink(isDirectory ? int.MinValue : -1);
        return Errno.None;
    }

    private static Result<Inode> MakeRegular(GoferInode directory, FileName name, Mode permissions, in NewOwner owner)
    {
        GoferConnection connection = directory.Tree.Connection;
        lock (connection.Lock)
        {
            if (!connection.FidOf(directory).TryGet(out uint fid, out Errno errno)
                || !connection.Client.CreateAt(fid, name.Bytes, OpenFlags.O_RDWR, permissions, owner.Uid, owner.Gid).TryGet(out (int Descriptor, NinePAttributes Attributes) made, out errno))
            {
                return errno;
            }

            GoferInode file = new(directory.Tree, directory, name, made.Attributes, []);
            file.KeepCreated(made.Descriptor);
            return file;
        }
    }

    private static Result<Inode> Make(GuestTask task, GoferInode directory, FileName name, uint uid, Func<NinePClient, uint, Errno> make)
    {
        GoferConnection connection = directory.Tree.Connection;
        GoferInode made;
        uint madeUid;
        lock (connection.Lock)
        {
            if (!connection.FidOf(directory).TryGet(out uint fid, out Errno errno))
            {
                return errno;
            }

            errno = make(connection.Client, fid);
            if (errno != Errno.None || !connection.Client.Lookup(fid, name.Bytes).TryGet(out (NinePAttributes Attributes, byte[] Target) found, out errno))
            {
                return errno;
            }

            madeUid = found.Attributes.Uid;
            made = new GoferInode(directory.Tree, directory, name, found.Attributes, found.Target);
        }

        Errno refused = madeUid == uid ? Errno.None : made.SetAttributes(task, new AttributeChange { Uid = uid });
        if (refused != Errno.None)
        {
            Remove(directory, name, made, made.IsDirectory);
            return refused;
        }

        return made;
    }
}

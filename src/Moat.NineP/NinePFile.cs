using Moat.Linux;

namespace Moat.NineP;

/// <summary>A file of a server, as a fid refers to it. Names that reach it are one valid component: not empty, not "." or "..", without a slash or a zero byte.</summary>
/// <remarks>Calls for one connection come from one thread. Whatever is not overridden is not supported: EOPNOTSUPP.</remarks>
public abstract class NinePFile : IDisposable
{
    /// <summary>Its attributes.</summary>
    public abstract Result<NinePAttributes> GetAttributes();

    /// <summary>Another reference to the same file, not opened.</summary>
    public abstract Result<NinePFile> Duplicate();

    /// <summary>An entry of a directory; links are not followed. ENOENT, ENOTDIR.</summary>
    public abstract Result<NinePFile> Walk(ReadOnlySpan<byte> name);

    /// <summary>The directory that it is in; the root is its own. For "..", which must not leave the tree.</summary>
    public abstract Result<NinePFile> Parent();

    /// <summary>Opens it (open(2) flags) for <see cref="Read"/>, <see cref="Write"/>, <see cref="ReadDirectory"/>.</summary>
    public virtual Errno Open(OpenFlags flags) => Errno.EOPNOTSUPP;

    /// <summary>Makes a regular file in this directory and becomes it, opened.</summary>
    public virtual Errno Create(ReadOnlySpan<byte> name, OpenFlags flags, Mode mode, uint gid) => Errno.EOPNOTSUPP;

    /// <summary>Reads from an opened file.</summary>
    public virtual Result<int> Read(ulong offset, Span<byte> destination) => Errno.EOPNOTSUPP;

    /// <summary>Writes to an opened file.</summary>
    public virtual Result<int> Write(ulong offset, ReadOnlySpan<byte> source) => Errno.EOPNOTSUPP;

    /// <summary>Adds entries after the one whose cookie is <paramref name="offset"/> (0: from the start) until the sink is full.</summary>
    public virtual Errno ReadDirectory(ulong offset, NinePDirectorySink sink) => Errno.EOPNOTSUPP;

    /// <summary>Adds the files of this directory after the one whose cookie is <paramref name="cookie"/> (0: from the start) with their attributes until the sink is full, and finishes it.</summary>
    public virtual Errno List(ulong cookie, NinePFileSink sink) => Errno.EOPNOTSUPP;

    /// <summary>The target of a symbolic link.</summary>
    public virtual Result<byte[]> ReadLink() => Errno.EOPNOTSUPP;

    public virtual Result<Qid> MakeDirectory(ReadOnlySpan<byte> name, Mode permissions, uint gid) => Errno.EOPNOTSUPP;

    public virtual Result<Qid> MakeSymlink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, uint gid) => Errno.EOPNOTSUPP;

    public virtual Result<Qid> MakeNode(ReadOnlySpan<byte> name, Mode mode, DeviceNumber device, uint gid) => Errno.EOPNOTSUPP;

    /// <summary>Gives <paramref name="target"/>, a file of the same server, another name in this directory.</summary>
    public virtual Errno Link(ReadOnlySpan<byte> name, NinePFile target) => Errno.EOPNOTSUPP;

    /// <summary>Moves an entry of this directory.</summary>
    public virtual Errno Rename(ReadOnlySpan<byte> name, NinePFile newDirectory, ReadOnlySpan<byte> newName) => Errno.EOPNOTSUPP;

    /// <summary>Removes an entry; <paramref name="isDirectory"/> is AT_REMOVEDIR.</summary>
    public virtual Errno Unlink(ReadOnlySpan<byte> name, bool isDirectory) => Errno.EOPNOTSUPP;

    public virtual Errno SetAttributes(in NinePAttributeChange change) => Errno.EOPNOTSUPP;

    /// <summary>An extended attribute's value.</summary>
    public virtual Result<byte[]> GetExtendedAttribute(ReadOnlySpan<byte> name) => Errno.EOPNOTSUPP;

    /// <summary>The names of the extended attributes, each ended by a zero byte.</summary>
    public virtual Result<byte[]> ListExtendedAttributes() => Errno.EOPNOTSUPP;

    /// <summary>Sets an extended attribute; flags are XATTR_CREATE and XATTR_REPLACE.</summary>
    public virtual Errno SetExtendedAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags) => Errno.EOPNOTSUPP;

    /// <summary>Removes an extended attribute.</summary>
    public virtual Errno RemoveExtendedAttribute(ReadOnlySpan<byte> name) => Errno.EOPNOTSUPP;

    /// <summary>Its fid is given back by the client: what was put off is done now.</summary>
    public virtual Errno Complete() => Errno.None;

    public virtual Errno Sync(bool dataOnly) => Errno.EOPNOTSUPP;

    public virtual Result<NinePStatistics> GetStatistics() => Errno.EOPNOTSUPP;

    /// <summary>Opens an entry, or the file itself for an empty name, which must be a regular file, for donation. The caller closes the descriptor.</summary>
    public virtual Result<int> OpenDescriptor(ReadOnlySpan<byte> name, OpenFlags flags, out NinePAttributes attributes)
    {
        attributes = default;
        return Errno.EOPNOTSUPP;
    }

    /// <summary>Makes a regular file, which must not exist, with an owner, for donation.</summary>
    public virtual Result<int> CreateDescriptor(ReadOnlySpan<byte> name, OpenFlags flags, Mode mode, uint uid, uint gid, out NinePAttributes attributes)
    {
        attributes = default;
        return Errno.EOPNOTSUPP;
    }

    /// <summary>Closes a donated descriptor on the server's side.</summary>
    public virtual void CloseDescriptor(int descriptor)
    {
    }

    /// <summary>What a name is, with a link's target, in one step.</summary>
    public virtual Result<NinePAttributes> Lookup(ReadOnlySpan<byte> name, out byte[] target)
    {
        target = [];
        NinePFile file = this;
        if (!name.IsEmpty)
        {
            if (!Walk(name).TryGet(out NinePFile? found, out Errno errno))
            {
                return errno;
            }

            file = found;
        }

        Result<NinePAttributes> attributes = file.GetAttributes();
        if (attributes.IsOk && (attributes.Value.Mode & Mode.S_IFMT) == Mode.S_IFLNK && file.ReadLink().TryGet(out byte[]? text, out _))
        {
            target = text;
        }

        if (file != this)
        {
            file.Dispose();
        }

        return attributes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what the file holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

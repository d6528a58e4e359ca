using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>What a Gofer told of the next names of a path.</summary>
internal sealed class GoferPath : IWalkedPath
{
    private readonly List<(NinePAttributes Attributes, byte[] Target)> _found = [];
    private bool _endsInNothing;

    /// <inheritdoc/>
    public int Count => _found.Count + (_endsInNothing ? 1 : 0);

    /// <summary>Asks, with the connection's lock held.</summary>
    /// <returns>What the directory itself is; EOPNOTSUPP if the Gofer does not know how.</returns>
    public Result<NinePAttributes> Ask(NinePClient client, uint fid, ReadOnlySpan<byte> path)
    {
        Result<NinePAttributes> own = client.LookupPath(fid, path, _found, out Errno error);
        _endsInNothing = error == Errno.ENOENT;
        return own;
    }

    /// <inheritdoc/>
    public bool Matches(int index, Inode? known) =>
        index == _found.Count ? known is null : known is GoferInode file && file.Adopt(_found[index].Attributes, _found[index].Target);

    /// <inheritdoc/>
    public Inode? Make(int index, Inode directory, FileName name)
    {
        GoferInode parent = (GoferInode)directory;
        return index == _found.Count ? null : new GoferInode(parent.Tree, parent, name, _found[index].Attributes, _found[index].Target);
    }
}

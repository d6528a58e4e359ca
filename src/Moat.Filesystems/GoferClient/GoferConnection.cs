using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>A client with the fids that the directories of a tree have at the Gofer. A directory gets one when something below it is asked for, and loses it when others were used
/// more recently: a Gofer holds a descriptor for each.</summary>
internal sealed class GoferConnection(NinePClient client)
{
    private const int MaxFids = 4096;

    private readonly LinkedList<GoferInode> _recent = new(); // guarded by Lock: directories with a fid, the last used first

    /// <summary>Held from asking for a fid until it was used.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The protocol.</summary>
    public NinePClient Client { get; } = client;

    /// <summary>Where a file is found: a fid and a name below it, which is empty for the root. Called with <see cref="Lock"/> held.</summary>
    /// <returns>The fid; ENOENT for a file without a name.</returns>
    public Result<uint> Locate(GoferInode inode, out ReadOnlySpan<byte> name)
    {
        (GoferInode? parent, FileName? entry, bool isUnlinked) = inode.Place;
        name = parent is null ? default : entry!.Bytes;
        return isUnlinked ? Errno.ENOENT : parent is null ? NinePClient.RootFid : FidOf(parent);
    }

    /// <summary>A directory's fid. Called with <see cref="Lock"/> held.</summary>
    public Result<uint> FidOf(GoferInode directory)
    {
        if (directory.FidNode is { } node)
        {
            if (_recent.First != node)
            {
                _recent.Remove(node);
                _recent.AddFirst(node);
            }

            return directory.Fid;
        }

        if (!Locate(directory, out ReadOnlySpan<byte> name).TryGet(out uint above, out Errno errno))
        {
            return errno;
        }

        if (name.IsEmpty)
        {
            return NinePClient.RootFid;
        }

        if (!Client.Walk(above, name).TryGet(out uint fid, out errno))
        {
            return errno;
        }

        directory.Fid = fid;
        directory.FidNode = _recent.AddFirst(directory);
        if (_recent.Count > MaxFids)
        {
            Forget(_recent.Last!.Value);
        }

        return fid;
    }

    /// <summary>Gives a directory's fid back, if it has one. Called with <see cref="Lock"/> held.</summary>
    public void Forget(GoferInode directory)
    {
        if (directory.FidNode is { } node)
        {
            _recent.Remove(node);
            directory.FidNode = null;
            Client.Clunk(directory.Fid);
        }
    }
}

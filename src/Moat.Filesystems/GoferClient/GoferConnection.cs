using Moat.Kernel.Time;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>A client with the fids that the directories of a tree have at the Gofer. A directory gets one when something below it is asked for, and loses it when others were used
/// more recently: a Gofer holds a descriptor for each.</summary>
/// <param name="client">The protocol.</param>
/// <param name="clock">Says how old listings are.</param>
internal sealed class GoferConnection(NinePClient client, IKernelClock clock)
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
        (GoferInode? parent, FileName? entry, bool isUnlinked) = inode.Places.Current;
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

        Remember(directory, fid);
        return fid;
    }

    /// <summary>The files of a directory with all their attributes, in a round trip for hundreds of them.</summary>
    /// <returns>E2BIG if there are more than <paramref name="limit"/>; EOPNOTSUPP if the Gofer does not know how.</returns>
    /// <param name="directory">The directory.</param>
    /// <param name="limit">How many entries it may have.</param>
    /// <param name="withBelow">Whether those below it are likely to be read next.</param>
    public Result<GoferListing> ListWithAttributes(GoferInode directory, int limit, bool withBelow)
    {
        lock (Lock)
        {
            ReadOnlySpan<byte> name = default;
            if (!(directory.FidNode is null ? Locate(directory, out name) : FidOf(directory)).TryGet(out uint fid, out Errno errno))
            {
                return errno;
            }

            List<NinePListedFile> files = [];
            List<NinePListedDirectory> below = [];
            Result<bool> listed = Client.List(fid, name, limit, files, withBelow ? below : null, wantsFid: !name.IsEmpty, out uint? made, out NinePAttributes attributes);
            if (made is { } own)
            {
                Remember(directory, own);
            }

            return !listed.TryGet(out bool isAll, out errno) ? errno : isAll ? GoferListing.Make(files, below, attributes, clock.MonotonicNs) : Errno.E2BIG;
        }
    }

    /// <summary>Whether a listing is still right, as far as the directory's times tell. Asks the Gofer if that has not been done for a while.</summary>
    public bool IsCurrent(GoferInode directory, GoferListing listing, long maxAgeNs)
    {
        long now = clock.MonotonicNs;
        if (now - listing.CheckedNs <= maxAgeNs)
        {
            return true;
        }

        lock (Lock)
        {
            if (!Locate(directory, out ReadOnlySpan<byte> name).TryGet(out uint fid, out _) || !Client.Lookup(fid, name).TryGet(out (NinePAttributes Attributes, byte[] Target) found, out _)
                || !listing.IsOf(found.Attributes))
            {
                return false;
            }
        }

        listing.CheckedNs = now;
        return true;
    }

    /// <summary>The entries of a directory with their types and numbers alone, as any server tells them.</summary>
    public Result<GoferListing> List(GoferInode directory)
    {
        lock (Lock)
        {
            if (!FidOf(directory).TryGet(out uint fid, out Errno errno) || !Client.Walk(fid, default).TryGet(out uint own, out errno))
            {
                return errno;
            }

            List<NinePListedFile> files = [];
            errno = Client.Open(own, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
            ulong cookie = 0;
            while (errno == Errno.None && Client.ReadDirectory(own, cookie).TryGet(out IReadOnlyList<NinePDirectoryEntry>? some, out errno) && some.Count > 0)
            {
                foreach (NinePDirectoryEntry entry in some)
                {
                    // The Gofer is not trusted to send names.
                    if (entry.Name.Length is > 0 and <= FileName.MaxLength && entry.Name.AsSpan().IndexOfAny((byte)'/', (byte)0) < 0
                        && !entry.Name.AsSpan().SequenceEqual("."u8) && !entry.Name.AsSpan().SequenceEqual(".."u8))
                    {
                        files.Add(new NinePListedFile(new FileName(entry.Name), new NinePAttributes { Qid = entry.Qid, Mode = (Mode)((uint)entry.Type << 12) }, []));
                    }
                }

                cookie = some[^1].Cookie;
            }

            Client.Clunk(own);
            return errno == Errno.None ? new GoferListing(files, default, clock.MonotonicNs) : errno;
        }
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

    private void Remember(GoferInode directory, uint fid)
    {
        directory.Fid = fid;
        directory.FidNode = _recent.AddFirst(directory);
        if (_recent.Count > MaxFids)
        {
            Forget(_recent.Last!.Value);
        }
    }
}

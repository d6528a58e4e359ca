using Moat.Linux;

namespace Moat.Filesystems.GoferClient;

/// <summary>Notices that the files of a directory, which nobody changes, are opened in the order of its listing (tar, grep -r), and has the next ones opened in the same round trip.</summary>
/// <param name="directory">The directory.</param>
internal sealed class GoferOpenAhead(GoferInode directory)
{
    private const int Window = 12;
    private const int Near = 4;

    private int _last = -Near - 1; // guarded by the connection's lock: the last entry that was opened or opened ahead

    /// <summary>Opens a file, and the next ones if the last ones were opened in order too. Called with the connection's lock held.</summary>
    /// <returns>Its descriptor; -1 if it is to be opened by itself.</returns>
    public int Open(GoferInode file)
    {
        if (directory.Listing is not { } listing || file.Places.Current.Name is not { } name || listing.Find(name) is not (>= 0 and var index))
        {
            return -1;
        }

        bool isInOrder = index > _last && index - _last <= Near;
        _last = index;
        if (!isInOrder || !directory.Tree.Connection.FidOf(directory).TryGet(out uint fid, out _))
        {
            return -1;
        }

        List<GoferInode> files = [file];
        List<FileName> names = [name];
        for (int i = index + 1; i < listing.Count && names.Count < Window; i++)
        {
            _last = i;
            if ((listing[i].Attributes.Mode & Mode.S_IFMT) == Mode.S_IFREG && listing.InodeOf(directory, i) is { Descriptor: null } next)
            {
                files.Add(next);
                names.Add(listing[i].Name);
            }
        }

        List<int> descriptors = [];
        if (directory.Tree.Connection.Client.OpenMany(fid, names, OpenFlags.O_RDONLY, descriptors) != Errno.None)
        {
            return -1;
        }

        for (int i = 1; i < files.Count; i++)
        {
            if (descriptors[i] >= 0)
            {
                directory.Tree.Descriptors.AddIdle(files[i], descriptors[i]);
            }
        }

        return descriptors[0];
    }
}

using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>What a filesystem has found out of the next names of a path in one go (<see cref="Inode.WalkAhead"/>): name 0 is in the directory that was asked, each other one in the one before.</summary>
public interface IWalkedPath
{
    /// <summary>How many names it knows of; the last may be known not to exist.</summary>
    int Count { get; }

    /// <summary>Whether a cached answer for a name is still right; brings an inode's attributes up to date if so.</summary>
    /// <param name="index">Which name.</param>
    /// <param name="known">The cached inode; null for a name that did not exist.</param>
    bool Matches(int index, Inode? known);

    /// <summary>Makes the inode of a name; null if it does not exist.</summary>
    /// <param name="index">Which name.</param>
    /// <param name="directory">The directory it is in.</param>
    /// <param name="name">The name.</param>
    Inode? Make(int index, Inode directory, FileName name);
}

using Moat.Collections;

namespace Moat.Filesystems.GoferClient;

/// <summary>A donated descriptor of a file that nobody changes: all open descriptions of the file use the one. See <see cref="GoferDescriptors"/>, which guards it.</summary>
/// <param name="inode">The file.</param>
/// <param name="fd">The descriptor.</param>
internal sealed class GoferDescriptor(GoferInode inode, int fd)
{
    private ListLinks<GoferDescriptor> _idleLinks;

    /// <summary>The file.</summary>
    public GoferInode Inode => inode;

    /// <summary>The descriptor.</summary>
    public int Fd => fd;

    /// <summary>How many descriptions use it.</summary>
    public int Users { get; set; }

    /// <summary>Whether it is among those that nobody uses.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Its neighbours there.</summary>
    public ref ListLinks<GoferDescriptor> IdleLinks => ref _idleLinks;
}

using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>An entry of a synthetic directory, for readdir.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Inode">Its inode number, or a stand-in that is not zero when the inode is only made on look-up.</param>
/// <param name="Type">Its file type.</param>
public readonly record struct SyntheticEntry(FileName Name, ulong Inode, Mode Type);

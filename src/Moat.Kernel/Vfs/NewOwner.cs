namespace Moat.Kernel.Vfs;

/// <summary>Who will own a new inode.</summary>
/// <param name="Uid">The user, in the initial user namespace's numbers.</param>
/// <param name="Gid">The group.</param>
public readonly record struct NewOwner(uint Uid, uint Gid);

namespace Moat.NineP;

/// <summary>What Rstatfs tells of a filesystem.</summary>
/// <param name="Type">The magic number.</param>
/// <param name="BlockSize">In bytes.</param>
/// <param name="Blocks">All.</param>
/// <param name="BlocksFree">Free.</param>
/// <param name="BlocksAvailable">Free for an ordinary user.</param>
/// <param name="Files">All inodes.</param>
/// <param name="FilesFree">Free ones.</param>
/// <param name="Identifier">f_fsid.</param>
/// <param name="NameLength">The longest name.</param>
public readonly record struct NinePStatistics(uint Type, uint BlockSize, ulong Blocks, ulong BlocksFree, ulong BlocksAvailable, ulong Files, ulong FilesFree, ulong Identifier, uint NameLength);

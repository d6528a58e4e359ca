namespace Moat.NineP;

/// <summary>A whole directory that came with the listing of one above it.</summary>
/// <param name="Group">Which listing it is a file of: 0 for the one that was asked for, else the n-th that came with it.</param>
/// <param name="Index">Which file of that listing it is.</param>
/// <param name="Files">Its files.</param>
public sealed record NinePListedDirectory(int Group, int Index, List<NinePListedFile> Files);

using Moat.Linux;

namespace Moat.NineP;

/// <summary>A file of a directory, as Rlist tells of it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Attributes">What it is.</param>
/// <param name="Target">A symbolic link's target; empty for others.</param>
public readonly record struct NinePListedFile(FileName Name, NinePAttributes Attributes, byte[] Target);

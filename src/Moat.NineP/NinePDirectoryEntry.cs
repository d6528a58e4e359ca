namespace Moat.NineP;

/// <summary>An entry of a directory.</summary>
/// <param name="Qid">What it is.</param>
/// <param name="Cookie">Where the listing goes on after it.</param>
/// <param name="Type">DT_ value (getdents64(2)).</param>
/// <param name="Name">Its name: any bytes a server sends.</param>
public sealed record NinePDirectoryEntry(Qid Qid, ulong Cookie, byte Type, byte[] Name);

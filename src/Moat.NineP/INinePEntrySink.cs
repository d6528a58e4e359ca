namespace Moat.NineP;

/// <summary>Takes the entries of a directory from a server's file.</summary>
public interface INinePEntrySink
{
    /// <summary>Takes an entry if it fits.</summary>
    /// <param name="qid">What it is.</param>
    /// <param name="cookie">Where the listing goes on after it.</param>
    /// <param name="type">DT_ value (getdents64(2)).</param>
    /// <param name="name">Its name.</param>
    bool TryAdd(Qid qid, ulong cookie, byte type, ReadOnlySpan<byte> name);
}

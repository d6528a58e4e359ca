namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Numbers that are never used again: all versions of a table share them, and a transaction that fails has used its own.</summary>
internal sealed class NftHandles
{
    private ulong _last;

    /// <summary>A number.</summary>
    public ulong Next() => Interlocked.Increment(ref _last);
}

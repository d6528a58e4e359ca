using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>owner: who made the socket that a packet was sent through (<c>struct xt_owner_match_info</c>).</summary>
internal sealed class XtOwner(uint uidMin, uint uidMax, uint gidMin, uint gidMax, byte matched, byte inverted) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 20;

    private const byte OfUid = 1;
    private const byte OfGid = 2;
    private const byte OfSocket = 4;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        if (packet.Packet.Owner is not { } owner)
        {
            return (matched ^ inverted) == 0;
        }

        if ((matched & OfSocket) != 0 && (inverted & OfSocket) != 0)
        {
            return false;
        }

        return ((matched & OfUid) == 0 || (owner.Uid >= uidMin && owner.Uid <= uidMax) != ((inverted & OfUid) != 0))
            && ((matched & OfGid) == 0 || (owner.Gid >= gidMin && owner.Gid <= gidMax) != ((inverted & OfGid) != 0));
    }
}

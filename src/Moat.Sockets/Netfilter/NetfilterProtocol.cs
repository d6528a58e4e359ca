using Moat.Linux;
using Moat.Netstack;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netfilter.Xt;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter;

/// <summary>NETLINK_NETFILTER (nfnetlink): nf_tables, the extensions of iptables that it knows, and connection tracking.</summary>
internal sealed class NetfilterProtocol(NetworkStack stack) : INetlinkProtocol
{
    private const int SubsystemShift = 8;
    private const int Compat = 11; // NFNL_SUBSYS_NFT_COMPAT

    private readonly NftProtocol _tables = new(stack.Filter);

    /// <inheritdoc/>
    public int Number => 12;

    /// <inheritdoc/>
    public int GroupCount => 9; // NFNLGRP_MAX

    /// <inheritdoc/>
    public bool TryHandleBatch(ReadOnlySpan<byte> datagram, NetlinkSocket sender, bool isAdmin) => NftBatch.TryHandle(_tables, datagram, sender, isAdmin);

    /// <inheritdoc/>
    public Errno Handle(in NetlinkRequest request, NetlinkWriter answer, out bool isDump)
    {
        isDump = false;
        if (!request.IsAdmin)
        {
            return Errno.EPERM;
        }

        if (request.Payload.Length < NetfilterWriting.HeaderLength)
        {
            return Errno.EINVAL;
        }

        NftRequest message = new(request.Message);
        return (request.Header.Type >> SubsystemShift) switch
        {
            NftProtocol.Subsystem when IsQuery(message.Type) => _tables.Get(message, request, answer, out isDump),
            Compat => XtRevisions.Answer(message, answer),
            ConntrackProtocol.Subsystem => ConntrackProtocol.Handle(stack, message, answer, out isDump),
            _ => Errno.EINVAL, // no such subsystem, or changes without a transaction
        };
    }

    private static bool IsQuery(NftMessage type) => type is NftMessage.NFT_MSG_GETTABLE or NftMessage.NFT_MSG_GETCHAIN or NftMessage.NFT_MSG_GETRULE or NftMessage.NFT_MSG_GETRULE_RESET
        or NftMessage.NFT_MSG_GETSET or NftMessage.NFT_MSG_GETSETELEM or NftMessage.NFT_MSG_GETSETELEM_RESET or NftMessage.NFT_MSG_GETGEN
        or NftMessage.NFT_MSG_GETOBJ or NftMessage.NFT_MSG_GETOBJ_RESET or NftMessage.NFT_MSG_GETFLOWTABLE;
}

using Moat.Linux;

namespace Moat.Sockets.Netlink;

/// <summary>What one netlink protocol does with requests.</summary>
internal interface INetlinkProtocol
{
    /// <summary>Its number (NETLINK_*).</summary>
    int Number { get; }

    /// <summary>How many multicast groups it has.</summary>
    int GroupCount { get; }

    /// <summary>Carries out a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="answer">Where answers go; of a dump they end with NLMSG_DONE.</param>
    /// <param name="isDump">Whether the answer is a dump, which is not acknowledged.</param>
    /// <returns>The error to tell, or none.</returns>
    Errno Handle(in NetlinkRequest request, NetlinkWriter answer, out bool isDump);

    /// <summary>Carries out a datagram whose messages belong together, and answers it.</summary>
    /// <param name="datagram">The datagram.</param>
    /// <param name="sender">Who sent it.</param>
    /// <param name="isAdmin">Whether the sender has CAP_NET_ADMIN.</param>
    /// <returns>False if its messages stand for themselves.</returns>
    bool TryHandleBatch(ReadOnlySpan<byte> datagram, NetlinkSocket sender, bool isAdmin) => false;
}

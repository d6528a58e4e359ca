using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Udp;

/// <summary>Answers datagrams to one endpoint from outside of the stack, before any socket sees them: what a rule that rewrites destinations would do.</summary>
public interface IDatagramRelay
{
    /// <summary>Which datagrams are its.</summary>
    IpEndpoint Endpoint { get; }

    /// <summary>Takes one. Any thread; must not block.</summary>
    /// <param name="packet">Begins with the payload; stays the caller's.</param>
    /// <param name="source">Who sent it: for <see cref="UdpLayer.Answer"/>.</param>
    /// <returns>False if it does not want it now: then it goes its usual way.</returns>
    bool TryTake(Packet packet, IpEndpoint source);
}

using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>What the demultiplexer finds for the two ends of a segment: a connection, a half-open request, or what is left of a closed connection.</summary>
internal abstract class TcpFlow(FlowKey key)
{
    /// <summary>The two ends.</summary>
    public FlowKey Key => key;

    /// <summary>The memory that it takes beside what it queues, about.</summary>
    public abstract int HeldBytes { get; }

    /// <summary>What it is doing.</summary>
    public abstract TcpFlowStatus Describe();

    /// <summary>Takes a segment, whose header has been checked; the packet begins with the TCP header and is the flow's.</summary>
    public abstract void Receive(Packet packet, in TcpSegment segment, in IpInfo info);

    /// <summary>Hears of an ICMP error about a segment of it.</summary>
    /// <param name="error">The error.</param>
    /// <param name="sequence">The sequence number of the segment that the error quotes.</param>
    public abstract void ReceiveError(in IpError error, SequenceNumber sequence);
}

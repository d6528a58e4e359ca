using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;

namespace Moat.Netstack.Bridging;

/// <summary>An interface that is a port of a bridge: what comes in through it is the bridge's, and not its stack's.</summary>
/// <param name="bridge">The bridge.</param>
/// <param name="owner">The interface.</param>
/// <param name="number">Its number at the bridge, from 1 on.</param>
public sealed class BridgePort(BridgeLink bridge, NetworkInterface owner, int number)
{
    /// <summary>The bridge.</summary>
    public BridgeLink Bridge => bridge;

    /// <summary>The interface.</summary>
    public NetworkInterface Interface => owner;

    /// <summary>Its number at the bridge, from 1 on.</summary>
    public int Number => number;

    /// <summary>Whether frames may leave through the port that they came in through (hairpin_mode).</summary>
    public bool IsHairpin { get; set; }

    /// <summary>Whether addresses are learned here (learning).</summary>
    public bool Learns { get; set; } = true;

    /// <summary>Whether frames to unknown addresses leave here (unicast_flood).</summary>
    public bool Floods { get; set; } = true;

    /// <summary>Whether it reaches only ports without this (isolated).</summary>
    public bool IsIsolated { get; set; }

    /// <summary>Takes a frame that the interface received.</summary>
    internal void Receive(Packet packet) => bridge.Receive(packet, this);
}

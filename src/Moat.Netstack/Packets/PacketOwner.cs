namespace Moat.Netstack.Packets;

/// <summary>Who made the socket that a packet is sent through: numbers of the embedder's, for rules.</summary>
/// <param name="Uid">The user.</param>
/// <param name="Gid">The group.</param>
public readonly record struct PacketOwner(uint Uid, uint Gid);

namespace Moat.Sockets.Netlink;

/// <summary>A datagram that waits in a netlink socket.</summary>
/// <param name="Bytes">One message or several.</param>
/// <param name="Sender">The sender's port; 0 is the kernel.</param>
/// <param name="Group">The group it was sent to, or 0.</param>
internal sealed record NetlinkMessage(byte[] Bytes, uint Sender, int Group);

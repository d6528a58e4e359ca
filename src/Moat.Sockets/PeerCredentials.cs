using System.Runtime.InteropServices;

namespace Moat.Sockets;

/// <summary>Who is at the other end, or who sent a message.</summary>
/// <remarks><c>struct ucred</c>, <c>linux/socket.h</c>.</remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PeerCredentials(int Pid, uint Uid, uint Gid)
{
    /// <summary>Nobody: what a socket without a peer answers.</summary>
    public static PeerCredentials Nobody => new(0, uint.MaxValue, uint.MaxValue);
}

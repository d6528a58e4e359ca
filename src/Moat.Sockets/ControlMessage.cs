namespace Moat.Sockets;

/// <summary>One control message (cmsg(3)) that holds only bytes.</summary>
/// <param name="Level">SOL_SOCKET, IPPROTO_IP, ….</param>
/// <param name="Type">Of the level.</param>
/// <param name="Data">What it holds.</param>
public readonly record struct ControlMessage(int Level, int Type, byte[] Data);

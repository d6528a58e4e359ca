using System.Runtime.InteropServices;

namespace Moat.Sockets;

/// <summary><c>struct ucred</c> (<c>linux/socket.h</c>): who somebody is, with the process id that whoever reads it knows.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Ucred(int Pid, uint Uid, uint Gid);

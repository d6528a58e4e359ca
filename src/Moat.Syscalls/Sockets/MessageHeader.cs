using System.Runtime.InteropServices;

namespace Moat.Syscalls.Sockets;

/// <summary>What sendmsg(2) and recvmsg(2) get.</summary>
/// <remarks><c>struct user_msghdr</c>, <c>linux/socket.h</c>.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct MessageHeader
{
    public ulong Name;
    public int NameLength;
    private readonly int _padding;
    public ulong Vectors;
    public ulong VectorCount;
    public ulong Control;
    public ulong ControlLength;
    public uint Flags;
    private readonly int _endPadding;

    /// <summary>Bytes.</summary>
    public const int Size = 56;

    /// <summary>Where <see cref="NameLength"/> is.</summary>
    public const int NameLengthOffset = 8;

    /// <summary>Where <see cref="ControlLength"/> is.</summary>
    public const int ControlLengthOffset = 40;

    /// <summary>Where <see cref="Flags"/> is.</summary>
    public const int FlagsOffset = 48;
}

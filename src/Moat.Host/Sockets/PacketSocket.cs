using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Packet sockets of the host (packet(7)): whole Ethernet frames of all interfaces of a network namespace, each with a <see cref="VirtioHeader"/>.</summary>
public static unsafe class PacketSocket
{
    private const int AfPacket = 17;
    private const int SockRaw = 3;
    private const int SockCloexec = 0x80000;
    private const int SolSocket = 1;
    private const int SolPacket = 263;
    private const ushort AllProtocols = 3; // ETH_P_ALL

    /// <summary>A socket that receives what the Ethernet interfaces of the calling thread's namespace receive, without VLAN tags and without what is sent, and sends through any of them.</summary>
    /// <param name="bufferBytes">How much may wait in each direction.</param>
    public static Result<int> Open(int bufferBytes)
    {
        const int SendBufferForce = 32; // SO_SNDBUFFORCE
        const int ReceiveBufferForce = 33; // SO_RCVBUFFORCE
        const int VnetHeader = 15; // PACKET_VNET_HDR
        const int IgnoreOutgoing = 23; // PACKET_IGNORE_OUTGOING

        // Without a protocol nothing arrives before everything is set.
        SyscallResult opened = HostCall.Invoke(SyscallNumber.socket, AfPacket, SockRaw | SockCloexec, 0);
        if (opened.IsError)
        {
            return opened.Errno;
        }

        int fd = (int)opened.Raw;
        Errno errno = Set(fd, SolPacket, VnetHeader, 1);
        errno = errno != Errno.None ? errno : Set(fd, SolPacket, IgnoreOutgoing, 1);
        errno = errno != Errno.None ? errno : Set(fd, SolSocket, SendBufferForce, bufferBytes);
        errno = errno != Errno.None ? errno : Set(fd, SolSocket, ReceiveBufferForce, bufferBytes);
        errno = errno != Errno.None ? errno : Filter(fd);
        errno = errno != Errno.None ? errno : Bind(fd);
        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }

    private static Errno Set(int fd, int level, int option, int value) =>
        HostCall.Invoke(SyscallNumber.setsockopt, fd, level, option, (nint)(&value), sizeof(int)).Errno; // SAFETY: an int on this stack frame, with its size.

    // Loopback frames, and those of a VLAN, which come without their tag, are not for the sandbox.
    private static Errno Filter(int fd)
    {
        const int AttachFilter = 26; // SO_ATTACH_FILTER
        const uint VlanTagPresent = 0xffff_f000 + 48; // SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT
        const uint HardwareType = 0xffff_f000 + 28; // SKF_AD_OFF + SKF_AD_HATYPE
        const uint Ethernet = 1; // ARPHRD_ETHER
        const ulong LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
        const ulong LoadHalf = 0x28;
        const ulong JumpEqual = 0x15;
        const ulong Return = 0x06;
        const uint Everything = 0x4_0000;

        // struct sock_filter { u16 code; u8 jt, jf; u32 k; }, from its lowest bits up: a jump is relative to the next one.
        ReadOnlySpan<ulong> program =
        [
            LoadWord | (ulong)VlanTagPresent << 32,
            JumpEqual | 2UL << 24,
            LoadHalf | (ulong)HardwareType << 32,
            JumpEqual | 1UL << 16 | (ulong)Ethernet << 32,
            Return,
            Return | (ulong)Everything << 32,
        ];

        // SAFETY: struct sock_fprog { unsigned short len; struct sock_filter *filter; } on this stack frame points to the pinned program, which the kernel copies.
        fixed (ulong* pointer = program)
        {
            long* description = stackalloc long[2];
            description[0] = program.Length;
            description[1] = (long)pointer;
            return HostCall.Invoke(SyscallNumber.setsockopt, fd, SolSocket, AttachFilter, (nint)description, 2 * sizeof(long)).Errno;
        }
    }

    private static Errno Bind(int fd)
    {
        Span<byte> address = stackalloc byte[20]; // struct sockaddr_ll: all interfaces
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AfPacket);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], AllProtocols);
        return HostSocket.Bind(fd, address);
    }
}

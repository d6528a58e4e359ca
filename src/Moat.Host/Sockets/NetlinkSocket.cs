using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>Netlink sockets of the host (netlink(7)).</summary>
public static unsafe class NetlinkSocket
{
    private const int AfNetlink = 16;
    private const int SockRaw = 3;
    private const int SockCloexec = 0x80000;
    private const int Route = 0; // NETLINK_ROUTE
    private const int Netfilter = 12; // NETLINK_NETFILTER

    /// <summary>A socket that is told of changes of links, addresses and routes in the calling thread's network namespace, and can ask for them (rtnetlink(7)).</summary>
    public static Result<int> OpenRoute()
    {
        const uint Groups = 0x1 | 0x10 | 0x40 | 0x100 | 0x400; // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE
        const int SolSocket = 1;
        const int ReceiveBufferForce = 33; // SO_RCVBUFFORCE
        int bufferBytes = 1 << 20;
        if (!Open(Route, Groups).TryGet(out int fd, out Errno errno))
        {
            return errno;
        }

        // SAFETY: an int on this stack frame, with its size.
        HostCall.Invoke(SyscallNumber.setsockopt, fd, SolSocket, ReceiveBufferForce, (nint)(&bufferBytes), sizeof(int)); // without it more is asked for again
        return fd;
    }

    /// <summary>A socket for netfilter's configuration of the calling thread's network namespace.</summary>
    internal static Result<int> OpenNetfilter() => Open(Netfilter, 0);

    /// <summary>Sends messages, each of which asks for an acknowledgement or none, and waits for that of the last one.</summary>
    /// <returns>The first error.</returns>
    internal static Errno Call(int fd, NetlinkMessages messages, uint lastAcknowledged)
    {
        const int HeaderLength = 16;
        const ushort ErrorType = 2; // NLMSG_ERROR
        SyscallResult written = HostFile.Write(fd, messages.Finish());
        if (written.IsError)
        {
            return written.Errno;
        }

        byte[] buffer = new byte[16384];
        while (true)
        {
            SyscallResult count = HostFile.Read(fd, buffer);
            if (count.IsError)
            {
                return count.Errno;
            }

            ReadOnlySpan<byte> rest = buffer.AsSpan(0, (int)count.Raw);
            while (rest.Length >= HeaderLength + sizeof(int))
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
                if (BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]) == ErrorType)
                {
                    Errno errno = (Errno)(-BinaryPrimitives.ReadInt32LittleEndian(rest[HeaderLength..]));
                    if (errno != Errno.None || BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]) == lastAcknowledged)
                    {
                        return errno;
                    }
                }

                rest = rest[Math.Clamp((length + 3) & ~3, HeaderLength, rest.Length)..];
            }
        }
    }

    private static Result<int> Open(int protocol, uint groups)
    {
        SyscallResult opened = HostCall.Invoke(SyscallNumber.socket, AfNetlink, SockRaw | SockCloexec, protocol);
        if (opened.IsError)
        {
            return opened.Errno;
        }

        int fd = (int)opened.Raw;
        Span<byte> address = stackalloc byte[12]; // struct sockaddr_nl
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AfNetlink);
        BinaryPrimitives.WriteUInt32LittleEndian(address[8..], groups);
        Errno errno = HostSocket.Bind(fd, address);
        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }
}

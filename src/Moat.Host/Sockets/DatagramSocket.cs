using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Host.Sockets;

/// <summary>UDP sockets of the host (udp(7)).</summary>
public static class DatagramSocket
{
    /// <summary>A socket connected to an IPv4 address in the calling thread's network namespace.</summary>
    /// <param name="address">The address; the first byte on the wire is the highest.</param>
    /// <param name="port">The port.</param>
    public static Result<int> Connect(uint address, ushort port)
    {
        const int AfInet = 2;
        const int DatagramCloexec = 0x80002;
        SyscallResult opened = HostCall.Invoke(SyscallNumber.socket, AfInet, DatagramCloexec, 0);
        if (opened.IsError)
        {
            return opened.Errno;
        }

        int fd = (int)opened.Raw;
        Span<byte> name = stackalloc byte[16]; // struct sockaddr_in
        name.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(name, AfInet);
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], port);
        BinaryPrimitives.WriteUInt32BigEndian(name[4..], address);
        Errno errno = HostSocket.Connect(fd, name);
        if (errno != Errno.None)
        {
            HostMemory.Close(fd);
            return errno;
        }

        return fd;
    }
}

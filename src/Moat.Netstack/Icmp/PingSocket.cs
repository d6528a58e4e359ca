using System.Buffers.Binary;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Raw;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Icmp;

/// <summary>A socket for echoes (icmp(7), SOCK_DGRAM with IPPROTO_ICMP): needs no privilege, since it sends nothing else and sees only answers to its own.</summary>
/// <param name="stack">The stack.</param>
/// <param name="isV6">AF_INET6.</param>
/// <param name="observer">Who is told of events.</param>
public sealed class PingSocket(NetworkStack stack, bool isV6, ISocketObserver observer)
    : MessageSocket(stack, isV6, isV6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp, observer), IPingSocket
{
    private const int IdentifierOffset = 4;

    private readonly Lock _claim = new(); // above the table of ping sockets
    private ushort _identifier; // guarded by _claim; 0 before there is one

    /// <inheritdoc/>
    protected override ushort LocalPort => Volatile.Read(ref _identifier);

    /// <inheritdoc/>
    public void Deliver(Packet packet, in IpInfo info)
    {
        if (Accepts(info))
        {
            Enqueue(packet, info);
        }
        else
        {
            packet.Release();
        }
    }

    /// <inheritdoc/>
    protected override NetError Claim(ushort port)
    {
        const int Attempts = 256;
        lock (_claim)
        {
            if (_identifier != 0)
            {
                return port == 0 || port == _identifier ? NetError.None : NetError.Invalid;
            }

            Span<byte> random = stackalloc byte[sizeof(ushort)];
            for (int i = 0; i < Attempts; i++)
            {
                ushort wanted = port;
                if (port == 0)
                {
                    Stack.Host.Fill(random);
                    wanted = BitConverter.ToUInt16(random);
                }

                if (wanted != 0 && Stack.PingSockets.TryAdd(wanted, IsV6, this))
                {
                    Volatile.Write(ref _identifier, wanted);
                    return NetError.None;
                }

                if (port != 0)
                {
                    break;
                }
            }

            return NetError.AddressInUse;
        }
    }

    /// <inheritdoc/>
    protected override NetError Prepare(Packet packet, IpAddress source, IpAddress destination)
    {
        Span<byte> message = packet.Linear;
        if (message.Length < IcmpHeader.Length || message[0] != (IsV6 ? IcmpV6Type.EchoRequest : IcmpType.Echo) || message[1] != 0)
        {
            return NetError.Invalid;
        }

        NetError error = LocalPort == 0 ? Claim(0) : NetError.None;
        BinaryPrimitives.WriteUInt16BigEndian(message[IdentifierOffset..], LocalPort);
        IcmpMessages.Seal(packet, source, destination);
        return error;
    }

    /// <inheritdoc/>
    protected override void Leave()
    {
        lock (_claim)
        {
            if (_identifier != 0)
            {
                Stack.PingSockets.Remove(_identifier, IsV6);
            }
        }
    }
}

using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>An Ethernet link that programs make, and that leads nowhere outside of the machine.</summary>
public abstract class VirtualLink : ILink
{
    private const int DefaultMtu = 1500;

    private ulong _address;
    private NetworkInterface? _owner;

    private protected VirtualLink(EthernetAddress address) => _address = address.Value;

    /// <inheritdoc/>
    public EthernetAddress Address => new(Volatile.Read(ref _address));

    /// <inheritdoc/>
    public int Mtu => DefaultMtu;

    /// <inheritdoc/>
    public virtual int MaxMtu => ushort.MaxValue;

    /// <inheritdoc/>
    public virtual LinkFeatures Features => LinkFeatures.Ethernet | LinkFeatures.TransmitChecksum | LinkFeatures.TcpSegmentation | LinkFeatures.Internal;

    /// <inheritdoc/>
    public abstract string Kind { get; }

    /// <summary>Whether it can go over to another stack.</summary>
    public virtual bool MayMove => true;

    /// <inheritdoc/>
    public virtual bool HasCarrier => true;

    /// <summary>Its interface; null before it has one. It changes when the link moves to another stack.</summary>
    public NetworkInterface? Interface => Volatile.Read(ref _owner);

    /// <inheritdoc/>
    public virtual void Attach(ILinkSink sink) => Volatile.Write(ref _owner, (NetworkInterface)sink);

    /// <inheritdoc/>
    public abstract void Transmit(Packet packet);

    /// <inheritdoc/>
    public void Flush()
    {
        // What waits, waits in the backlog.
    }

    /// <inheritdoc/>
    public virtual bool TrySetAddress(EthernetAddress address)
    {
        Volatile.Write(ref _address, address.Value);
        return true;
    }

    /// <inheritdoc/>
    public virtual void Close()
    {
    }

    /// <summary>A random address that nobody else has given out (eth_random_addr): the bit for local administration set.</summary>
    public static EthernetAddress RandomAddress(INetHost host)
    {
        const byte Group = 1;
        const byte Local = 2;
        Span<byte> bytes = stackalloc byte[EthernetAddress.Length];
        host.Fill(bytes);
        bytes[0] = (byte)((bytes[0] & ~Group) | Local);
        return EthernetAddress.FromBytes(bytes);
    }
}

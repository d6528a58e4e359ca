using System.Buffers.Binary;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;
using Moat.Sockets.Netlink;

namespace Moat.Sentry.Network;

/// <summary>The Ethernet interfaces of the container's network namespace that are up, each with its counterpart in the stack. One thread.</summary>
/// <param name="stack">The stack.</param>
/// <param name="port">Where frames come in; null if the interfaces are only shown.</param>
/// <param name="log">The log.</param>
internal sealed class HostInterfaces(NetworkStack stack, PacketPort? port, DebugLog log)
{
    private readonly Dictionary<int, (PacketLink Link, NetworkInterface Interface)> _known = [];

    /// <summary>Whether one was found since this was set to false.</summary>
    public bool HasNew { get; set; }

    /// <summary>The stack's interface for one of the host, or null.</summary>
    public NetworkInterface? Find(int hostIndex) => _known.TryGetValue(hostIndex, out (PacketLink Link, NetworkInterface Interface) known) ? known.Interface : null;

    /// <summary>Takes a <c>struct ifinfomsg</c> with its attributes.</summary>
    public void ApplyLink(ReadOnlySpan<byte> payload, bool isGone)
    {
        const int Length = 16;
        const ushort Ethernet = 1; // ARPHRD_ETHER
        const ushort Loopback = 772; // ARPHRD_LOOPBACK
        const uint IsUp = 1; // IFF_UP
        const int IFLA_ADDRESS = 1;
        const int IFLA_IFNAME = 3;
        const int IFLA_MTU = 4;
        if (payload.Length < Length || payload[0] != 0)
        {
            return; // or it is about a bridge's port
        }

        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(payload[2..]);
        int index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        bool isUp = !isGone && (BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]) & IsUp) != 0;
        NetlinkAttributes attributes = new(payload[Length..]);
        string name = attributes.ReadText(IFLA_IFNAME) ?? "";
        if (isGone)
        {
            Remove(index);
        }
        else if (type != Ethernet)
        {
            if (isUp && type != Loopback)
            {
                log.Warning($"network interface {name} is no Ethernet (type {type}): the sandbox does not have it");
            }
        }
        else if (attributes.Read(IFLA_MTU, out uint? mtu) == Linux.Errno.None && mtu is > 0 and <= ushort.MaxValue && attributes.TryFind(IFLA_ADDRESS, out ReadOnlySpan<byte> hardware) && hardware.Length == EthernetAddress.Length)
        {
            Update(index, name, (int)mtu.Value, EthernetAddress.FromBytes(hardware), isUp);
        }
    }

    /// <summary>Takes a <c>struct ifaddrmsg</c> with its attributes.</summary>
    public void ApplyAddress(ReadOnlySpan<byte> payload, bool isGone)
    {
        const int Length = 8;
        const uint Tentative = 0x40; // IFA_F_TENTATIVE: the host asks whether it is free
        const uint DadFailed = 0x08; // IFA_F_DADFAILED
        const int IFA_ADDRESS = 1;
        const int IFA_LOCAL = 2;
        const int IFA_LABEL = 3;
        const int IFA_BROADCAST = 4;
        const int IFA_FLAGS = 8;
        if (payload.Length < Length || Find(BinaryPrimitives.ReadInt32LittleEndian(payload[4..])) is not { } owner)
        {
            return;
        }

        NetlinkAttributes attributes = new(payload[Length..]);
        if (!attributes.TryFind(IFA_LOCAL, out ReadOnlySpan<byte> bytes) && !attributes.TryFind(IFA_ADDRESS, out bytes))
        {
            return;
        }

        IpAddress address = IpAddress.FromBytes(bytes);
        int prefix = Math.Min(payload[1], (byte)address.Bits);
        if (isGone)
        {
            _ = stack.RemoveAddress(owner, address, prefix); // or the container has done so
            return;
        }

        _ = attributes.Read(IFA_FLAGS, out uint? flags);
        IpAddress? broadcast = attributes.TryFind(IFA_BROADCAST, out ReadOnlySpan<byte> all) ? IpAddress.FromBytes(all) : null;
        if (((flags ?? payload[2]) & DadFailed) == 0)
        {
            _ = stack.AddAddress(owner, new InterfaceAddress(address, prefix, broadcast) { Flags = (flags ?? payload[2]) & ~Tentative, Label = attributes.ReadText(IFA_LABEL) });
        }
    }

    /// <summary>Takes a <c>struct ndmsg</c> with its attributes: what an administrator has set.</summary>
    public void ApplyNeighbor(ReadOnlySpan<byte> payload)
    {
        const int Length = 12;
        const ushort Permanent = 0x80; // NUD_PERMANENT
        const int NDA_DST = 1;
        const int NDA_LLADDR = 2;
        if (payload.Length < Length || (BinaryPrimitives.ReadUInt16LittleEndian(payload[8..]) & Permanent) == 0 || Find(BinaryPrimitives.ReadInt32LittleEndian(payload[4..]))?.Neighbors is not { } neighbors)
        {
            return;
        }

        NetlinkAttributes attributes = new(payload[Length..]);
        if (attributes.TryFind(NDA_DST, out ReadOnlySpan<byte> address) && attributes.TryFind(NDA_LLADDR, out ReadOnlySpan<byte> hardware) && hardware.Length == EthernetAddress.Length)
        {
            neighbors.SetPermanent(IpAddress.FromBytes(address), EthernetAddress.FromBytes(hardware));
        }
    }

    // An interface is of interest once it is up: until then whoever makes it still gives it its name and addresses.
    private void Update(int index, string name, int mtu, EthernetAddress address, bool isUp)
    {
        if (!_known.TryGetValue(index, out (PacketLink Link, NetworkInterface Interface) known))
        {
            if (isUp)
            {
                Add(index, name, mtu, address);
            }

            return;
        }

        if (mtu != known.Link.Mtu)
        {
            known.Link.Mtu = mtu;
            known.Interface.Mtu = mtu;
        }

        known.Link.Address = address;
        if (!isUp)
        {
            stack.SetUp(known.Interface, false);
        }
        else if (!known.Interface.IsUp)
        {
            stack.SetUp(known.Interface, true);
            HasNew = true; // its routes have been away
        }
    }

    private void Add(int index, string name, int mtu, EthernetAddress address)
    {
        PacketLink link = new(port?.Fd ?? -1, index) { Mtu = mtu, Address = address };
        if (stack.AddInterface(name, link, out NetworkInterface? added) != NetError.None)
        {
            log.Warning($"network interface {name}: the container has one of its own with this name");
            return;
        }

        _known.Add(index, (link, added!));
        HasNew = true;
        port?.Add(index, link);
        stack.SetUp(added!, true);
        log.Debug($"network interface {name}: {address}, mtu {mtu}");
    }

    private void Remove(int index)
    {
        if (_known.Remove(index, out (PacketLink Link, NetworkInterface Interface) known))
        {
            port?.Remove(index);
            stack.RemoveInterface(known.Interface);
        }
    }
}

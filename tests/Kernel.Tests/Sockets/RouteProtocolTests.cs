using System.Buffers.Binary;
using CsCheck;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;
using Moat.Sockets;
using Moat.Sockets.Netlink;

namespace Moat.Kernel.Tests.Sockets;

public sealed class RouteProtocolTests
{
    private const ushort FirstType = 16;
    private const ushort LastType = 40;
    private const ushort NamespaceType = 88; // RTM_NEWNSID

    /// <summary>Whatever the payload: no exception, answers that are whole messages with whole attributes, and tables within their limits.</summary>
    [Fact]
    public void Handle_HostileRequests_AnswersWellFormedMessages()
    {
        RouteProtocol protocol = Make(TestNetworks.MakeFirst());
        Gen<byte[]> attribute = Gen.Select(
            Gen.Frequency((8, Gen.UShort[0, 40]), (1, Gen.UShort)),
            Gen.Frequency((8, Gen.UShort[0, 24]), (1, Gen.UShort)),
            Gen.Byte.Array[0, 20],
            static (type, length, value) =>
            {
                byte[] bytes = new byte[4 + ((value.Length + 3) & ~3)];
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, length);
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), type);
                value.CopyTo(bytes, 4);
                return bytes;
            });
        Gen<byte[]> header = Gen.Select(Gen.OneOf(Gen.Const<byte>(0), Gen.Const<byte>(2), Gen.Const<byte>(10), Gen.Byte), Gen.Frequency((3, Gen.Byte[0, 33]), (1, Gen.Byte)), Gen.Int[-1, 2], Gen.Byte.Array[0, 12], Fixed);
        int answered = 0;
        Gen.Select(Gen.Frequency((8, Gen.UShort[FirstType, LastType]), (1, Gen.UShort[NamespaceType, NamespaceType + 2])), Gen.UShort, Gen.Bool, header, attribute.Array[0, 6]).Sample(
            (type, flags, isStrict, fixedPart, attributes) =>
            {
                byte[] payload = [.. fixedPart, .. attributes.SelectMany(static bytes => bytes)];
                NetlinkWriter answer = new(7, 9);
                NetlinkRequest request = new(new NetlinkHeader(0, type, (NetlinkFlags)flags, 9, 7), payload) { IsAdmin = true, IsStrict = isStrict };
                Errno errno = protocol.Handle(request, answer, out bool isDump);
                List<byte[]> datagrams = answer.Finish();
                foreach (byte[] datagram in datagrams)
                {
                    CheckMessages(datagram);
                }

                Assert.True(!isDump || errno != Errno.None || datagrams.Count > 0, "a dump ends with NLMSG_DONE at least");
                Interlocked.Add(ref answered, datagrams.Count);
            },
            iter: 20_000,
            threads: 1);
        Assert.True(answered > 1000, $"only {answered} answers");
        Assert.True(protocol.Stack.Interfaces.All(static owner => owner.Addresses.Count <= NetworkInterface.MaxAddresses));
    }

    /// <summary>The same of requests that make interfaces and change them, whose attributes hold others.</summary>
    [Fact]
    public void Handle_HostileLinkRequests_LeavesInterfacesWithinLimits()
    {
        SocketNetwork network = TestNetworks.MakeFirst();
        RouteProtocol protocol = Make(network);
        Gen<byte[]> name = OneOf("lo", "a", "b", "c%d", "%d", "x/y", "", "a-name-that-is-too-long").Select(static text => Attribute(3, [.. System.Text.Encoding.ASCII.GetBytes(text), 0]));
        Gen<byte[]> number = Gen.Select(OneOf<ushort>(4, 10, 13, 19, 27, 28, 46), Gen.Frequency((3, Gen.UInt[0, 6]), (1, Gen.UInt)), static (type, value) => Attribute(type, BitConverter.GetBytes(value)));
        Gen<byte[]> address = Gen.Byte.Array[0, 8].Select(static bytes => Attribute(1, bytes));
        Gen<byte[]> kind = Gen.Select(
            OneOf("veth", "bridge", "dummy", "tun", ""),
            Gen.OneOf(name.Select(static bytes => Attribute(1, [.. new byte[16], .. bytes])), Gen.Byte.Array[0, 24], number),
            static (text, data) => Attribute(18, [.. Attribute(1, System.Text.Encoding.ASCII.GetBytes(text)), .. Attribute(2, data)]));
        Gen<byte[]> attributes = Gen.OneOf(name, number, address, kind).Array[0, 4].Select(static parts => parts.SelectMany(static part => part).ToArray());
        Gen.Select(Gen.UShort[16, 19], OneOf<ushort>(0, 0x400, 0x600, 0x300), Gen.Int[-1, 5], OneOf(0, 1), attributes).Sample(
            (type, flags, index, isUp, rest) =>
            {
                byte[] payload = [.. new byte[4], .. BitConverter.GetBytes(index), .. BitConverter.GetBytes(isUp), .. BitConverter.GetBytes(1), .. rest];
                NetlinkWriter answer = new(7, 9);
                _ = protocol.Handle(new NetlinkRequest(new NetlinkHeader(0, type, (NetlinkFlags)flags, 9, 7), payload) { IsAdmin = true }, answer, out _);
                foreach (byte[] datagram in answer.Finish())
                {
                    CheckMessages(datagram);
                }

                network.Stack.Flush();
            },
            iter: 20_000,
            threads: 1);
        IReadOnlyList<NetworkInterface> links = network.Stack.Interfaces;
        Assert.InRange(links.Count, 1, NetworkStack.MaxInterfaces);
        Assert.Equal(links.Count, links.Select(static link => link.Name).Distinct().Count());
        Assert.Equal(links.Count, links.Select(static link => link.Index).Distinct().Count());
        Assert.True(links[0].IsLoopback);
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.OneOf([.. values.Select(static value => Gen.Const(value))]);

    private static byte[] Attribute(ushort type, byte[] value) =>
        [.. BitConverter.GetBytes((ushort)(4 + value.Length)), .. BitConverter.GetBytes(type), .. value, .. new byte[((value.Length + 3) & ~3) - value.Length]];

    [Fact]
    public void Dump_MoreThanADatagram_IsCutBetweenMessages()
    {
        SocketNetwork network = TestNetworks.MakeFirst();
        NetworkStack stack = network.Stack;
        for (uint i = 0; i < 200; i++)
        {
            Assert.Equal(NetError.None, stack.AddAddress(stack.Interfaces[0], new InterfaceAddress(IpAddress.FromV4(0xc633_6400 + i), 32, null)));
        }

        NetlinkWriter answer = new(7, 9);
        NetlinkRequest request = new(new NetlinkHeader(0, (ushort)RouteMessageType.RTM_GETADDR, NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_DUMP, 9, 7), new byte[8]);
        Assert.Equal(Errno.None, Make(network).Handle(request, answer, out bool isDump));
        Assert.True(isDump);
        List<byte[]> datagrams = answer.Finish();
        Assert.True(datagrams.Count > 1);
        Assert.All(datagrams, static datagram => Assert.InRange(datagram.Length, 1, 4096));
        Assert.Equal(200 + 2 + 1, datagrams.Sum(CheckMessages)); // those of loopback, and the end
    }

    private static byte[] Fixed(byte family, byte prefix, int index, byte[] rest)
    {
        byte[] bytes = new byte[8 + rest.Length];
        bytes[0] = family;
        bytes[1] = prefix;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), index);
        rest.CopyTo(bytes, 8);
        return bytes;
    }

    private static int CheckMessages(byte[] datagram)
    {
        int count = 0;
        ReadOnlySpan<byte> rest = datagram;
        while (!rest.IsEmpty)
        {
            NetlinkHeader header = NetlinkHeader.Read(rest);
            Assert.InRange(header.MessageLength, (uint)NetlinkHeader.Length, (uint)rest.Length);
            Assert.Equal(9u, header.Sequence);
            Assert.Equal(7u, header.Port);
            rest = rest[NetlinkHeader.Align((int)header.MessageLength)..];
            count++;
        }

        return count;
    }

    private static RouteProtocol Make(SocketNetwork network)
    {
        NetlinkPorts ports = new();
        return new RouteProtocol(network, ports, new UeventProtocol(ports));
    }
}

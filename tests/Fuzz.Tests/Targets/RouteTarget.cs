using System.Buffers.Binary;
using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tests.Sockets;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Sockets;
using Moat.Sockets.Netlink;

namespace Moat.Fuzz.Targets;

/// <summary>Requests to rtnetlink and sock_diag in a network of their own: a part of the script is a datagram of messages. What is left has its limits, and ends with the network.</summary>
internal sealed class RouteTarget : FuzzTarget
{
    private const byte IsDiag = 1;
    private const byte IsStrict = 2;
    private const NetlinkFlags Request = NetlinkFlags.NLM_F_REQUEST;
    private const NetlinkFlags New = NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_CREATE;
    private const NetlinkFlags Dump = NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_DUMP;

    private static readonly Lazy<SocketNetwork> s_first = new(TestNetworks.MakeFirst);
    private static readonly byte[] s_address = [198, 51, 100, 7];

    /// <inheritdoc/>
    public override string Name => "route";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        byte[] pair = Message(RouteMessageType.RTM_NEWLINK, New, Link(0), static writer => Kind(writer, "veth", "a", static inner =>
        {
            int peer = inner.BeginNest(LinkAttribute.VETH_INFO_PEER);
            inner.Put(0, new byte[12]); // a header without attributes of its own follows the nest's
            inner.Put(LinkAttribute.IFLA_IFNAME, "b");
            inner.EndNest(peer);
        }));
        byte[] bridge = Message(RouteMessageType.RTM_NEWLINK, New, Link(0), static writer => Kind(writer, "bridge", "br", static inner => inner.Put(LinkAttribute.IFLA_BR_VLAN_FILTERING, (byte)0)));
        byte[] dummy = Message(RouteMessageType.RTM_NEWLINK, New, Link(0), static writer => Kind(writer, "dummy", "d", static _ => { }));
        byte[] up = Message(RouteMessageType.RTM_SETLINK, Request, Link(2, isUp: true), static writer => writer.Put(LinkAttribute.IFLA_MTU, 1400u));
        byte[] enslave = Message(RouteMessageType.RTM_SETLINK, Request, Link(3), static writer => writer.Put(LinkAttribute.IFLA_MASTER, 2u));
        byte[] gone = Message(RouteMessageType.RTM_DELLINK, Request, Link(2), static _ => { });
        byte[] address = Message(RouteMessageType.RTM_NEWADDR, New, [2, 24, 0, 0, 2, 0, 0, 0], static writer => Addresses(writer, 2, 1));
        byte[] noAddress = Message(RouteMessageType.RTM_DELADDR, Request, [2, 24, 0, 0, 2, 0, 0, 0], static writer => Addresses(writer, 2));
        byte[] route = Message(RouteMessageType.RTM_NEWROUTE, New, [2, 16, 0, 0, 254, 3, 253, 1, 0, 0, 0, 0], static writer =>
        {
            writer.Put(1, [198, 51, 0, 0]);
            writer.Put(4, 2u);
            writer.Put(6, 100u);
            int metrics = writer.BeginNest(8);
            writer.Put(2, 1400u);
            writer.EndNest(metrics);
        });
        byte[] findRoute = Message(RouteMessageType.RTM_GETROUTE, Request, [2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], static writer => Addresses(writer, 1));
        byte[] neighbor = Message(RouteMessageType.RTM_NEWNEIGH, New, [2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0], static writer =>
        {
            Addresses(writer, 1);
            writer.Put(2, [2, 0, 0, 0, 0, 9]);
        });
        List<byte[]> seeds =
        [
            Script.Of([(0, pair), (0, up), (0, address), (0, route), (0, findRoute)]),
            Script.Of([(0, bridge), (0, dummy), (0, enslave), (0, gone)]),
            Script.Of([(0, dummy), (0, up), (0, address), (0, neighbor), (0, noAddress), (0, gone)]),
            Script.Of([(0, [.. pair, .. up, .. gone])]),
            Script.Of([(0, Message(RouteMessageType.RTM_NEWNSID, Request, [0, 0, 0, 0], static writer => writer.Put(1, 5u)))]),
        ];
        foreach (RouteMessageType type in (RouteMessageType[])[RouteMessageType.RTM_GETLINK, RouteMessageType.RTM_GETADDR, RouteMessageType.RTM_GETROUTE, RouteMessageType.RTM_GETNEIGH, RouteMessageType.RTM_GETRULE, RouteMessageType.RTM_GETNSID])
        {
            seeds.Add(Script.Of([(0, pair), (IsStrict, Message(type, Dump, new byte[16], static writer => writer.Put(LinkAttribute.IFLA_MASTER, 2u)))]));
            seeds.Add(Script.Of([(0, Message(type, Request, new byte[16], static writer => writer.Put(LinkAttribute.IFLA_IFNAME, "lo")))]));
        }

        byte[] program = Convert.FromHexString("0708180002000000" + "0a18ffff00000000" + "c6336407");
        foreach (byte family in (byte[])[1, 2, 10, 16, 17])
        {
            byte[] asked = new byte[56];
            (asked[0], asked[1], asked[2]) = (family, family is 2 or 10 ? (byte)6 : (byte)0, 255);
            asked.AsSpan(4, 4).Fill(byte.MaxValue);
            seeds.Add(Script.Of([(IsDiag, NetlinkAnswers.Message(20, Dump, asked, writer => writer.Put(1, program)))]));
            seeds.Add(Script.Of([(IsDiag, NetlinkAnswers.Message(20, Request, asked, static _ => { }))]));
        }

        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        Assert.True(s_first.Value.MakeNew(s_first.Value.Owner).TryGet(out var made, out Errno errno), $"{errno}");
        SocketNetwork network = (SocketNetwork)made;
        network.Stack.SetUp(network.Stack.Interfaces[0], true);
        NetlinkPorts ports = new();
        RouteProtocol route = new(network, ports, new UeventProtocol(ports));
        DiagProtocol diag = new(network);
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> datagram))
        {
            INetlinkProtocol protocol = (operation & IsDiag) != 0 ? diag : route;
            while (NetlinkAnswers.TryNext(ref datagram, out NetlinkHeader header, out ReadOnlySpan<byte> message))
            {
                NetlinkWriter answer = new(NetlinkAnswers.Port, NetlinkAnswers.Sequence);
                errno = protocol.Handle(
                    new NetlinkRequest(header, message[NetlinkHeader.Length..]) { Message = message, IsAdmin = true, IsStrict = (operation & IsStrict) != 0 },
                    answer,
                    out bool isDump);
                List<byte[]> datagrams = answer.Finish();
                NetlinkAnswers.Check(datagrams);
                Assert.True(!isDump || errno != Errno.None || datagrams.Count > 0, "a dump ends with NLMSG_DONE at least");
            }

            network.Stack.Flush();
            _ = network.Stack.RunTimers();
        }

        CheckInterfaces(network.Stack);
        network.RemoveUser();
    }

    private static void CheckInterfaces(NetworkStack stack)
    {
        IReadOnlyList<NetworkInterface> links = stack.Interfaces;
        Assert.InRange(links.Count, 1, NetworkStack.MaxInterfaces);
        Assert.Equal(links.Count, links.Select(static link => link.Name).Distinct().Count());
        Assert.Equal(links.Count, links.Select(static link => link.Index).Distinct().Count());
        Assert.True(links[0].IsLoopback);
        Assert.All(links, static link => Assert.InRange(link.Addresses.Count, 0, NetworkInterface.MaxAddresses));
    }

    private static byte[] Message(RouteMessageType type, NetlinkFlags flags, byte[] header, Action<NetlinkWriter> write) => NetlinkAnswers.Message((ushort)type, flags, header, write);

    private static byte[] Link(int index, bool isUp = false)
    {
        byte[] header = new byte[16]; // struct ifinfomsg
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), index);
        (header[8], header[12]) = (isUp ? (byte)1 : (byte)0, isUp ? (byte)1 : (byte)0);
        return header;
    }

    private static void Kind(NetlinkWriter writer, string kind, string name, Action<NetlinkWriter> data)
    {
        writer.Put(LinkAttribute.IFLA_IFNAME, name);
        int info = writer.BeginNest(LinkAttribute.IFLA_LINKINFO);
        writer.Put(LinkAttribute.IFLA_INFO_KIND, Encoding.ASCII.GetBytes(kind));
        int nest = writer.BeginNest(LinkAttribute.IFLA_INFO_DATA);
        data(writer);
        writer.EndNest(nest);
        writer.EndNest(info);
    }

    private static void Addresses(NetlinkWriter writer, params ReadOnlySpan<ushort> types)
    {
        foreach (ushort type in types)
        {
            writer.Put(type, s_address);
        }
    }
}

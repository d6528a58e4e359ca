using System.Buffers.Binary;
using CsCheck;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Wire;
using Moat.Sockets.Netlink;

namespace Moat.Kernel.Tests.Sockets;

public sealed class RouteProtocolTests
{
    private const ushort FirstType = 16;
    private const ushort LastType = 40;

    /// <summary>Whatever the payload: no exception, answers that are whole messages with whole attributes, and tables within their limits.</summary>
    [Fact]
    public void Handle_HostileRequests_AnswersWellFormedMessages()
    {
        RouteProtocol protocol = new(MakeStack(), new NetlinkPorts());
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
        Gen.Select(Gen.UShort[FirstType, LastType], Gen.UShort, Gen.Bool, header, attribute.Array[0, 6]).Sample(
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

    [Fact]
    public void Dump_MoreThanADatagram_IsCutBetweenMessages()
    {
        NetworkStack stack = MakeStack();
        for (uint i = 0; i < 200; i++)
        {
            Assert.Equal(NetError.None, stack.AddAddress(stack.Interfaces[0], new InterfaceAddress(IpAddress.FromV4(0xc633_6400 + i), 32, null)));
        }

        NetlinkWriter answer = new(7, 9);
        NetlinkRequest request = new(new NetlinkHeader(0, (ushort)RouteMessageType.RTM_GETADDR, NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_DUMP, 9, 7), new byte[8]);
        Assert.Equal(Errno.None, new RouteProtocol(stack, new NetlinkPorts()).Handle(request, answer, out bool isDump));
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

    private static NetworkStack MakeStack()
    {
        NetworkStack stack = new(new StillHost());
        Assert.Equal(NetError.None, stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? loopback));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV4, 8, null)));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV6, 128, null)));
        stack.SetUp(loopback!, true);
        return stack;
    }

    private sealed class StillHost : INetHost
    {
        public long NowNs => 1;

        public void Fill(Span<byte> random) => random.Clear();

        public void WakeAt(long deadlineNs)
        {
        }
    }
}

using System.Buffers.Binary;
using System.Text;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Filter;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Sockets;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter;
using Moat.Sockets.Netfilter.Legacy;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Kernel.Tests.Sockets;

/// <summary>What a guest hands to netfilter is hostile: tables of iptables and messages of nf_tables that were right before something changed them. Whatever is taken is then run on packets.</summary>
public sealed class NetfilterTests
{
    private const int Rounds = 20_000;

    [Fact]
    public void Parse_MutatedTables_NeverThrow_AndWhatIsTakenRuns()
    {
        NetworkStack stack = MakeStack();
        using Traffic traffic = new(stack);
        Random random = new(1);
        int taken = 0;
        foreach (XtLayout layout in (XtLayout[])[XtLayout.V4, XtLayout.V6])
        {
            (byte[] entries, int[] hooks, int count) = MakeTable(layout);
            for (int round = 0; round < Rounds; round++)
            {
                byte[] bytes = (byte[])entries.Clone();
                int[] places = (int[])hooks.Clone();
                Mutate(random, bytes);
                if (round % 10 == 0)
                {
                    places[random.Next(places.Length)] = random.Next(-8, entries.Length + 16);
                }

                if (round % 50 == 0)
                {
                    bytes = bytes[..random.Next(bytes.Length)];
                }

                if (!XtBlob.Parse(bytes, layout, XtTableKind.All[0], count, places, places).TryGet(out XtBlob? blob, out _) || !XtCompiler.Compile(blob).TryGet(out FilterRuleset? ruleset, out _))
                {
                    continue;
                }

                taken++;
                stack.Filter.Replace([], [ruleset]);
                traffic.Run();
                stack.Filter.Replace([ruleset], []);
                byte[] back = new byte[bytes.Length];
                blob.CopyTo(back);
            }
        }

        Assert.InRange(taken, Rounds / 10, 2 * Rounds);
    }

    [Fact]
    public void Apply_MutatedMessages_NeverThrow_AndWhatIsCommittedRuns()
    {
        NetworkStack stack = MakeStack();
        using Traffic traffic = new(stack);
        NftProtocol tables = new(stack.Filter);
        byte[][] messages = MakeMessages();
        Random random = new(2);
        int committed = 0;
        for (int round = 0; round < Rounds; round++)
        {
            NftTransaction transaction = tables.Begin();
            bool isRight = true;
            foreach (byte[] message in messages)
            {
                byte[] bytes = (byte[])message.Clone();
                if (random.Next(4) == 0)
                {
                    Mutate(random, bytes.AsSpan(NetlinkHeader.Length));
                }

                isRight &= transaction.Apply(new NftRequest(bytes)) == Errno.None;
            }

            if (!isRight)
            {
                tables.Abort();
                continue;
            }

            if (tables.Commit(transaction) != Errno.None)
            {
                continue;
            }

            committed++;
            traffic.Run();
            foreach (NftMessage type in (NftMessage[])[NftMessage.NFT_MSG_GETTABLE, NftMessage.NFT_MSG_GETCHAIN, NftMessage.NFT_MSG_GETRULE, NftMessage.NFT_MSG_GETSET])
            {
                NetlinkWriter answer = new(1, 1);
                byte[] request = MessageOf(type, static _ => { });
                Assert.Equal(Errno.None, NftQueries.Dump(new NftRequest(request), tables.Ruleset, answer));
                Assert.All(answer.Finish(), static datagram => Assert.True(datagram.Length >= NetlinkHeader.Length));
            }

            NftTransaction clean = tables.Begin();
            Assert.Equal(Errno.None, clean.Apply(new NftRequest(MessageOf(NftMessage.NFT_MSG_DELTABLE, static _ => { }))));
            Assert.Equal(Errno.None, tables.Commit(clean));
        }

        Assert.InRange(committed, Rounds / 50, Rounds);
    }

    [Fact]
    public void Commit_AllocatesNothingForPacketsAfterwards()
    {
        NetworkStack stack = MakeStack();
        using Traffic traffic = new(stack);
        NftProtocol tables = new(stack.Filter);
        NftTransaction transaction = tables.Begin();
        foreach (byte[] message in MakeMessages())
        {
            Assert.Equal(Errno.None, transaction.Apply(new NftRequest(message)));
        }

        Assert.Equal(Errno.None, tables.Commit(transaction));
        for (int i = 0; i < 100; i++)
        {
            traffic.Run();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            traffic.Run();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Mutate(Random random, Span<byte> bytes)
    {
        for (int i = random.Next(4); i > 0; i--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(bytes[at] + random.Next(-8, 9)), _ => (byte)(bytes[at] ^ (1 << random.Next(8))) };
        }
    }

    // A filter table with jumps, matches and a target in its OUTPUT chain.
    private static (byte[] Entries, int[] Hooks, int Count) MakeTable(XtLayout layout)
    {
        List<byte> entries = [];
        int[] hooks = new int[XtLayout.Hooks];
        int count = 0;
        void Add(byte protocol, (string Name, byte Revision, byte[] Data)[] matches, string target, byte[] data)
        {
            byte[] head = new byte[layout.Entry];
            byte[] body = [.. matches.SelectMany(static match => Extension(match.Name, match.Revision, match.Data))];
            byte[] to = Extension(target, 0, data);
            head[layout.Protocol] = protocol;
            head[layout.Flags] = layout.IsV6 && protocol != 0 ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(layout.TargetOffset), (ushort)(head.Length + body.Length));
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(layout.TargetOffset + 2), (ushort)(head.Length + body.Length + to.Length));
            entries.AddRange([.. head, .. body, .. to]);
            count++;
        }

        byte[] Verdict(int verdict) => [.. BitConverter.GetBytes(verdict), 0, 0, 0, 0];
        byte[] tcp = [0, 0, 255, 255, 80, 0, 90, 0, 0, 2, 2, 0, 0, 0, 0, 0];
        byte[] udp = [0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] tracking = new byte[168];
        (tracking[146], tracking[150]) = (1, 14);
        byte[] limit = new byte[40];
        (limit[0], limit[4]) = (100, 5);
        int standard = layout.Entry + XtLayout.StandardTarget;
        int error = layout.Entry + XtLayout.ErrorTarget;
        foreach (FilterHook hook in XtTableKind.All[0].Hooks)
        {
            hooks[(int)hook] = entries.Count;
            Add(0, [], "", Verdict(-2));
        }

        // The policies are unconditional rules, so what follows is reached by a jump from the first of them that a mutation makes one.
        int chain = (3 * standard) + error;
        Add(0, [], "ERROR", new byte[32]);
        Add(6, [("tcp", 0, tcp), ("conntrack", 3, tracking)], "", Verdict(-1));
        Add(17, [("udp", 0, udp), ("limit", 0, limit)], "", Verdict(-5));
        Add(0, [("comment", 0, new byte[256])], "REJECT", [3, 0, 0, 0, 0, 0, 0, 0]);
        Add(0, [], "", Verdict(chain));
        Add(0, [], "ERROR", new byte[32]);
        return ([.. entries], hooks, count);
    }

    private static byte[] Extension(string name, byte revision, byte[] data)
    {
        byte[] bytes = new byte[XtLayout.ExtensionHeader + data.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)bytes.Length);
        Encoding.ASCII.GetBytes(name, bytes.AsSpan(2));
        bytes[31] = revision;
        data.CopyTo(bytes, XtLayout.ExtensionHeader);
        return bytes;
    }

    private static byte[][] MakeMessages() =>
    [
        MessageOf(NftMessage.NFT_MSG_NEWTABLE, static writer => writer.Put(1, "t")),
        MessageOf(NftMessage.NFT_MSG_NEWCHAIN, static writer => Chain(writer, "web", null)),
        MessageOf(NftMessage.NFT_MSG_NEWCHAIN, static writer => Chain(writer, "out", FilterHook.Output)),
        MessageOf(
            NftMessage.NFT_MSG_NEWSET,
            static writer =>
            {
                writer.Put(1, "t");
                writer.Put(2, "ports");
                writer.PutBig(3, NftSet.Interval);
                writer.PutBig(4, 13u);
                writer.PutBig(5, 2u);
                writer.PutBig(10, 1u);
            }),
        MessageOf(
            NftMessage.NFT_MSG_NEWSETELEM,
            static writer =>
            {
                writer.Put(1, "t");
                writer.Put(2, "ports");
                int list = writer.BeginNest(3);
                foreach ((byte low, uint flags) in ((byte, uint)[])[(10, 0), (20, 1)])
                {
                    int element = writer.BeginNest(1);
                    writer.PutBig(3, flags);
                    NftData.Put(writer, 1, [0, low]);
                    writer.EndNest(element);
                }

                writer.EndNest(list);
            }),
        Rule("web", static writer => Expression(writer, "counter", static _ => { })),
        Rule(
            "out",
            static writer =>
            {
                Expression(writer, "payload", static inner => Numbers(inner, 1, 2, 2, 2));
                Expression(
                    writer,
                    "lookup",
                    static inner =>
                    {
                        inner.Put(1, "ports");
                        inner.PutBig(2, 1u);
                    });
                Expression(
                    writer,
                    "ct",
                    static inner =>
                    {
                        inner.PutBig(1, 1u);
                        inner.PutBig(2, 0u);
                    });
                Expression(
                    writer,
                    "immediate",
                    static inner =>
                    {
                        inner.PutBig(1, 0u);
                        NftData.Put(inner, 2, FilterStep.Drop, null);
                    });
            }),
        Rule(
            "out",
            static writer =>
            {
                Expression(writer, "meta", static inner => Numbers(inner, 1, (uint)NftMetaKey.NFT_META_L4PROTO));
                Expression(
                    writer,
                    "bitwise",
                    static inner =>
                    {
                        Numbers(inner, 1, 2, 4);
                        NftData.Put(inner, 4, [0xff, 0, 0, 0]);
                        NftData.Put(inner, 5, [0, 0, 0, 0]);
                    });
                Expression(
                    writer,
                    "cmp",
                    static inner =>
                    {
                        Numbers(inner, 2, 0);
                        NftData.Put(inner, 3, [17]);
                    });
                Expression(writer, "counter", static _ => { });
            }),
    ];

    // Attributes 1, 2, … with numbers.
    private static void Numbers(NetlinkWriter writer, params ReadOnlySpan<uint> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            writer.PutBig((ushort)(i + 1), values[i]);
        }
    }

    private static void Chain(NetlinkWriter writer, string name, FilterHook? hook)
    {
        writer.Put(1, "t");
        writer.Put(3, name);
        if (hook is { } at)
        {
            int nest = writer.BeginNest(4);
            Numbers(writer, (uint)at, 0);
            writer.EndNest(nest);
            writer.Put(7, "filter");
        }
    }

    private static byte[] Rule(string chain, Action<NetlinkWriter> write) => MessageOf(
        NftMessage.NFT_MSG_NEWRULE,
        writer =>
        {
            writer.Put(1, "t");
            writer.Put(2, chain);
            int list = writer.BeginNest(4);
            write(writer);
            writer.EndNest(list);
        });

    private static void Expression(NetlinkWriter writer, string name, Action<NetlinkWriter> write)
    {
        int element = writer.BeginNest(1);
        writer.Put(1, name);
        int data = writer.BeginNest(2);
        write(writer);
        writer.EndNest(data);
        writer.EndNest(element);
    }

    private static byte[] MessageOf(NftMessage type, Action<NetlinkWriter> write)
    {
        NetlinkWriter writer = new(0, 1);
        byte family = (byte)(type is NftMessage.NFT_MSG_DELTABLE or NftMessage.NFT_MSG_GETTABLE or NftMessage.NFT_MSG_GETCHAIN or NftMessage.NFT_MSG_GETRULE or NftMessage.NFT_MSG_GETSET ? NetfilterFamily.NFPROTO_UNSPEC : NetfilterFamily.NFPROTO_INET);
        writer.Begin(NftProtocol.Subsystem, (int)type, NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_CREATE | NetlinkFlags.NLM_F_APPEND, family, 0);
        write(writer);
        writer.End();
        return writer.Finish()[0];
    }

    private static NetworkStack MakeStack()
    {
        NetworkStack stack = new(new FakeHost());
        Assert.Equal(NetError.None, stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? loopback));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV4, 8, null)));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV6, 128, null)));
        stack.SetUp(loopback!, true);
        return stack;
    }

    // Datagrams to oneself, of both versions; whether they arrive is the rules' business.
    private sealed class Traffic : IDisposable
    {
        private readonly UdpSocket _v4;
        private readonly UdpSocket _v6;

        public Traffic(NetworkStack stack) => (_v4, _v6) = (Make(stack, IpAddress.LoopbackV4), Make(stack, IpAddress.LoopbackV6));

        public void Run()
        {
            Run(_v4);
            Run(_v6);
        }

        public void Dispose()
        {
            _v4.Dispose();
            _v6.Dispose();
        }

        private static UdpSocket Make(NetworkStack stack, IpAddress address)
        {
            UdpSocket socket = new(stack.Udp, !address.IsV4, new NoObserver());
            Assert.Equal(NetError.None, socket.Bind(new IpEndpoint(address, 99)));
            Assert.Equal(NetError.None, socket.Connect(new IpEndpoint(address, 99)));
            return socket;
        }

        private static void Run(UdpSocket socket)
        {
            Bytes source = new(8);
            Bytes sink = new(8);
            if (socket.Send(ref source, null, default, out _) == NetError.None)
            {
                _ = socket.Receive(ref sink, false, out _);
            }

            _ = socket.TakeError();
        }
    }

    private struct Bytes(int length) : IByteSource, IByteSink
    {
        private int _left = length;

        public readonly long Length => _left;

        public int CopyTo(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, _left);
            destination[..count].Clear();
            _left -= count;
            return count;
        }

        public int CopyFrom(ReadOnlySpan<byte> source)
        {
            int count = Math.Min(source.Length, _left);
            _left -= count;
            return count;
        }
    }

    private sealed class NoObserver : ISocketObserver
    {
        public void OnEvents(NetEvents events)
        {
        }
    }

    private sealed class FakeHost : INetHost
    {
        private readonly Random _random = new(7);

        public long NowNs => 1_000_000_000;

        public void Fill(Span<byte> random) => _random.NextBytes(random);

        public void WakeAt(long deadlineNs)
        {
        }
    }
}

using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Kernel.Tests.Sockets;

/// <summary>Messages to nf_tables that make a table with chains, a set, and rules of the usual expressions.</summary>
internal static class NftMessages
{
    /// <summary>The messages, in order.</summary>
    public static byte[][] Make() =>
    [
        Of(NftMessage.NFT_MSG_NEWTABLE, static writer => writer.Put(1, "t")),
        Of(NftMessage.NFT_MSG_NEWCHAIN, static writer => Chain(writer, "web", null)),
        Of(NftMessage.NFT_MSG_NEWCHAIN, static writer => Chain(writer, "out", FilterHook.Output)),
        Of(
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
        Of(
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

    private static byte[] Rule(string chain, Action<NetlinkWriter> write) => Of(
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

    /// <summary>One message.</summary>
    public static byte[] Of(NftMessage type, Action<NetlinkWriter> write)
    {
        NetlinkWriter writer = new(0, 1);
        byte family = (byte)(type is NftMessage.NFT_MSG_DELTABLE or NftMessage.NFT_MSG_GETTABLE or NftMessage.NFT_MSG_GETCHAIN or NftMessage.NFT_MSG_GETRULE or NftMessage.NFT_MSG_GETSET ? NetfilterFamily.NFPROTO_UNSPEC : NetfilterFamily.NFPROTO_INET);
        writer.Begin(NftProtocol.Subsystem, (int)type, NetlinkFlags.NLM_F_REQUEST | NetlinkFlags.NLM_F_CREATE | NetlinkFlags.NLM_F_APPEND, family, 0);
        write(writer);
        writer.End();
        return writer.Finish()[0];
    }
}

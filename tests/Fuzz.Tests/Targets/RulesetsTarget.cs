using Moat.Kernel.Tests.Sockets;
using Moat.Linux;
using Moat.Netstack;
using Moat.Sockets.Netfilter;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netlink;

namespace Moat.Fuzz.Targets;

/// <summary>Messages to nf_tables: the parts of a script are the messages of a transaction, which an operation ends. What is committed is run on packets and shown.</summary>
internal sealed class RulesetsTarget : FuzzTarget
{
    private const int Headers = NetlinkHeader.Length + NetfilterWriting.HeaderLength;
    private const byte Commits = 1;
    private const byte IsQuery = 2;

    private static readonly NftMessage[] s_dumps = [NftMessage.NFT_MSG_GETTABLE, NftMessage.NFT_MSG_GETCHAIN, NftMessage.NFT_MSG_GETRULE, NftMessage.NFT_MSG_GETSET, NftMessage.NFT_MSG_GETSETELEM];

    /// <inheritdoc/>
    public override string Name => "rulesets";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        byte[][] messages = NftMessages.Make();
        List<byte[]> seeds = [];
        for (int count = 1; count <= messages.Length; count++)
        {
            seeds.Add(Script.Of(messages[..count].Select((message, i) => ((byte)(i == count - 1 ? Commits : 0), message))));
        }

        byte[] delete = NftMessages.Of(NftMessage.NFT_MSG_DELTABLE, static writer => writer.Put(1, "t"));
        seeds.Add(Script.Of([.. messages.Select(static message => (Commits, message)), (Commits, delete)]));
        seeds.Add(Script.Of([.. messages.Select(static message => (Commits, message)), .. s_dumps.Select(static type => (IsQuery, NftMessages.Of(type, static writer => writer.Put(1, "t"))))]));
        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        NetworkStack stack = LoopbackTraffic.MakeStack();
        using LoopbackTraffic traffic = new(stack);
        NetfilterProtocol protocol = new(stack);
        NftProtocol tables = new(stack.Filter);
        NftTransaction transaction = tables.Begin();
        Script script = new(input);
        bool hasFailed = false;
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> message))
        {
            if (message.Length < Headers)
            {
                continue;
            }

            if ((operation & IsQuery) != 0)
            {
                Ask(protocol, tables, message);
                continue;
            }

            hasFailed |= transaction.Apply(new NftRequest(message)) != Errno.None;
            if ((operation & Commits) == 0)
            {
                continue;
            }

            if (hasFailed)
            {
                tables.Abort();
            }
            else if (tables.Commit(transaction) == Errno.None)
            {
                traffic.Run();
                Show(tables);
            }

            transaction = tables.Begin();
            hasFailed = false;
        }

        tables.Abort();
    }

    private static void Ask(NetfilterProtocol protocol, NftProtocol tables, ReadOnlySpan<byte> message)
    {
        NetlinkHeader header = NetlinkHeader.Read(message);
        NetlinkRequest request = new(header, message[NetlinkHeader.Length..]) { Message = message, IsAdmin = true };
        NetlinkWriter answer = new(NetlinkAnswers.Port, NetlinkAnswers.Sequence);
        _ = tables.Get(new NftRequest(message), request, answer, out _);
        NetlinkAnswers.Check(answer.Finish());
        answer = new NetlinkWriter(NetlinkAnswers.Port, NetlinkAnswers.Sequence);
        _ = protocol.Handle(request, answer, out _);
        NetlinkAnswers.Check(answer.Finish());
    }

    private static void Show(NftProtocol tables)
    {
        foreach (NftMessage type in s_dumps)
        {
            NetlinkWriter answer = new(NetlinkAnswers.Port, NetlinkAnswers.Sequence);
            _ = NftQueries.Dump(new NftRequest(NftMessages.Of(type, static _ => { })), tables.Ruleset, answer);
            NetlinkAnswers.Check(answer.Finish());
        }
    }
}

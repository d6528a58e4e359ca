using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Legacy;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netlink;

namespace Moat.Kernel.Tests.Sockets;

/// <summary>What a guest hands to netfilter is hostile: tables of iptables and messages of nf_tables that were right before something changed them. Whatever is taken is then run on packets.</summary>
public sealed class NetfilterTests
{
    private const int Rounds = 20_000;

    [Fact]
    public void Parse_MutatedTables_NeverThrow_AndWhatIsTakenRuns()
    {
        NetworkStack stack = LoopbackTraffic.MakeStack();
        using LoopbackTraffic traffic = new(stack);
        Random random = new(1);
        int taken = 0;
        foreach (XtLayout layout in (XtLayout[])[XtLayout.V4, XtLayout.V6])
        {
            (byte[] entries, int[] hooks, int count) = XtTableBytes.Make(layout);
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
        NetworkStack stack = LoopbackTraffic.MakeStack();
        using LoopbackTraffic traffic = new(stack);
        NftProtocol tables = new(stack.Filter);
        byte[][] messages = NftMessages.Make();
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
                byte[] request = NftMessages.Of(type, static _ => { });
                Assert.Equal(Errno.None, NftQueries.Dump(new NftRequest(request), tables.Ruleset, answer));
                Assert.All(answer.Finish(), static datagram => Assert.True(datagram.Length >= NetlinkHeader.Length));
            }

            NftTransaction clean = tables.Begin();
            Assert.Equal(Errno.None, clean.Apply(new NftRequest(NftMessages.Of(NftMessage.NFT_MSG_DELTABLE, static _ => { }))));
            Assert.Equal(Errno.None, tables.Commit(clean));
        }

        Assert.InRange(committed, Rounds / 50, Rounds);
    }

    [Fact]
    public void Commit_AllocatesNothingForPacketsAfterwards()
    {
        NetworkStack stack = LoopbackTraffic.MakeStack();
        using LoopbackTraffic traffic = new(stack);
        NftProtocol tables = new(stack.Filter);
        NftTransaction transaction = tables.Begin();
        foreach (byte[] message in NftMessages.Make())
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
}

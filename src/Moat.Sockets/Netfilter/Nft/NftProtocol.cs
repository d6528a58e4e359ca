using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>nf_tables: the ruleset of a network, changed by transactions and shown by dumps.</summary>
internal sealed class NftProtocol(PacketFilter filter)
{
    /// <summary>NFNL_SUBSYS_NFTABLES.</summary>
    public const int Subsystem = 10;

    private const int NFTA_GEN_ID = 1;
    private const int NFTA_GEN_PROC_PID = 2;
    private const int NFTA_GEN_PROC_NAME = 3;

    private readonly Lock _lock = new(); // over one transaction; above the filter's
    private NftRuleset _ruleset = new(); // replaced under _lock

    /// <summary>The version that packets see.</summary>
    public NftRuleset Ruleset => Volatile.Read(ref _ruleset);

    /// <summary>Begins a transaction, which <see cref="Commit"/> or <see cref="Abort"/> ends on the same thread.</summary>
    public NftTransaction Begin()
    {
        _lock.Enter();
        return new NftTransaction(_ruleset.Clone());
    }

    /// <summary>Ends a transaction without effect.</summary>
    public void Abort() => _lock.Exit();

    /// <summary>Makes a transaction's version the one that packets see.</summary>
    /// <returns>Why it cannot be.</returns>
    public Errno Commit(NftTransaction transaction)
    {
        try
        {
            NftRuleset next = transaction.Ruleset;
            Errno errno = NftValidation.Check(next);
            if (errno != Errno.None || !transaction.HasChanges)
            {
                return errno;
            }

            next.Generation = next.Generation == uint.MaxValue ? 1 : next.Generation + 1;
            foreach (NftTable table in next.Tables)
            {
                foreach (NftSet set in table.Sets)
                {
                    set.Publish();
                    set.Id = 0; // numbers of a transaction mean nothing behind it
                }

                foreach (NftChain chain in table.Chains)
                {
                    chain.Identity.Name = chain.Name;
                }
            }

            filter.Replace([.. _ruleset.Tables.Select(static table => table.Compile())], [.. next.Tables.Select(static table => table.Compile())]);
            Volatile.Write(ref _ruleset, next);
            return Errno.None;
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Answers a request that changes nothing.</summary>
    public Errno Get(in NftRequest request, in NetlinkRequest cause, NetlinkWriter answer, out bool isDump)
    {
        NftRuleset ruleset = Ruleset;
        isDump = request.Has(NetlinkFlags.NLM_F_DUMP) && request.Type != NftMessage.NFT_MSG_GETGEN;
        if (isDump)
        {
            Errno refused = NftQueries.Dump(request, ruleset, answer);
            if (refused == Errno.None)
            {
                answer.Done();
            }

            return refused;
        }

        if (request.Type != NftMessage.NFT_MSG_GETGEN)
        {
            return NftQueries.Get(request, ruleset, answer);
        }

        NftDump.Begin(answer, NftMessage.NFT_MSG_NEWGEN, NetlinkFlags.None, NetfilterFamily.NFPROTO_UNSPEC, ruleset.Generation);
        answer.PutBig(NFTA_GEN_ID, ruleset.Generation);
        answer.PutBig(NFTA_GEN_PROC_PID, cause.Sender?.Port ?? 0);
        answer.Put(NFTA_GEN_PROC_NAME, "nft");
        answer.End();
        return Errno.None;
    }
}

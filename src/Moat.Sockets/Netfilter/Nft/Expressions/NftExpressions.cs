using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary>Reads the expressions of rules.</summary>
internal static class NftExpressions
{
    /// <summary>NFT_RULE_MAXEXPRS: how many a rule may have.</summary>
    public const int MaxPerRule = 128;

    private const int NFTA_LIST_ELEM = 1;
    private const ushort NFTA_EXPR_NAME = 1;
    private const ushort NFTA_EXPR_DATA = 2;
    private const int MaxName = 32;

    /// <summary>Reads a rule's expressions.</summary>
    /// <param name="list">NFTA_LIST_ELEM attributes.</param>
    /// <param name="table">The table.</param>
    /// <param name="protocol">The protocol that extensions of iptables are told of, or 0.</param>
    /// <returns>EINVAL; ENOENT for a kind that is not there; what the expression says.</returns>
    public static Result<NftExpression[]> Parse(ReadOnlySpan<byte> list, NftTable table, byte protocol)
    {
        List<NftExpression> expressions = [];
        while (AttributeReader.TryTake(ref list, out int type, out ReadOnlySpan<byte> value))
        {
            if (type != NFTA_LIST_ELEM || expressions.Count == MaxPerRule)
            {
                return Errno.EINVAL;
            }

            if (!ParseOne(new AttributeReader(value), table, protocol).TryGet(out NftExpression? expression, out Errno errno))
            {
                return errno;
            }

            expressions.Add(expression);
        }

        return expressions.ToArray();
    }

    /// <summary>Adds a rule's expressions to a dump.</summary>
    public static void Write(NetlinkWriter writer, ushort type, NftExpression[] expressions, bool reset)
    {
        int list = writer.BeginNest(type);
        foreach (NftExpression expression in expressions)
        {
            int element = writer.BeginNest(NFTA_LIST_ELEM);
            writer.Put(NFTA_EXPR_NAME, expression.Name);
            int data = writer.BeginNest(NFTA_EXPR_DATA);
            expression.Write(writer, reset);
            writer.EndNest(data);
            writer.EndNest(element);
        }

        writer.EndNest(list);
    }

    private static Result<NftExpression> ParseOne(AttributeReader attributes, NftTable table, byte protocol)
    {
        Errno errno = attributes.ReadName(NFTA_EXPR_NAME, MaxName, out string? name);
        if (errno != Errno.None || name is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        AttributeReader data = attributes.Nest(NFTA_EXPR_DATA);
        return name switch
        {
            "meta" => NftMeta.Parse(data),
            "payload" => NftPayload.Parse(data),
            "cmp" => NftCompare.Parse(data),
            "range" => NftRange.Parse(data),
            "bitwise" => NftBitwise.Parse(data),
            "byteorder" => NftByteOrder.Parse(data),
            "immediate" => NftImmediate.Parse(data, table),
            "lookup" => NftLookup.Parse(data, table),
            "ct" => NftTracking.Parse(data, table),
            "notrack" => new NftNoTrack(),
            "counter" => NftCounter.Parse(data),
            "limit" => NftLimit.Parse(data),
            "log" => NftLog.Parse(data),
            "reject" => NftReject.Parse(data, table),
            "nat" => NftNat.ParseNat(data, table),
            "masq" => NftNat.ParseMasquerade(data, table),
            "redir" => NftNat.ParseRedirect(data, table),
            "fib" => NftFib.Parse(data),
            "match" => NftCompat.Parse(data, isTarget: false, table, protocol),
            "target" => NftCompat.Parse(data, isTarget: true, table, protocol),
            _ => Errno.ENOENT,
        };
    }
}

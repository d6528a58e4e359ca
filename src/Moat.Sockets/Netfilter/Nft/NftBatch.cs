using System.Buffers.Binary;
using Moat.Linux;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A datagram that holds a transaction: messages between NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END, which all have effect or none has (nfnetlink).</summary>
internal static class NftBatch
{
    private const ushort BatchBegin = 16; // NFNL_MSG_BATCH_BEGIN
    private const ushort BatchEnd = 17;
    private const int NFNL_BATCH_GENID = 1;
    private const int Headers = NetlinkHeader.Length + NetfilterWriting.HeaderLength;

    /// <summary>Carries out a transaction, if a datagram holds one.</summary>
    /// <returns>False if its messages stand for themselves.</returns>
    public static bool TryHandle(NftProtocol tables, ReadOnlySpan<byte> datagram, NetlinkSocket sender, bool isAdmin)
    {
        if (datagram.Length < NetlinkHeader.Length || NetlinkHeader.Read(datagram) is not { Type: BatchBegin } begin)
        {
            return false;
        }

        if (begin.MessageLength < NetlinkHeader.Length || begin.MessageLength > datagram.Length)
        {
            return true; // without a word, as for any such message
        }

        ReadOnlySpan<byte> first = datagram[..(int)begin.MessageLength];
        Errno errno = Check(tables, first, isAdmin);
        if (errno != Errno.None)
        {
            sender.Acknowledge(first, errno, 0);
            return true;
        }

        ReadOnlySpan<byte> rest = datagram[Math.Min(NetlinkHeader.Align(first.Length), datagram.Length)..];
        if (!TryRun(tables, rest, sender, checksEach: false))
        {
            _ = TryRun(tables, rest, sender, checksEach: true); // which says what message is to blame
        }

        return true;
    }

    private static Errno Check(NftProtocol tables, ReadOnlySpan<byte> begin, bool isAdmin)
    {
        if (!isAdmin)
        {
            return Errno.EPERM;
        }

        if (begin.Length < Headers)
        {
            return Errno.EINVAL;
        }

        // Old programs give the subsystem's number in their machine's order.
        ushort resource = BinaryPrimitives.ReadUInt16BigEndian(begin[(NetlinkHeader.Length + 2)..]);
        const int SubsystemCount = 13; // NFNL_SUBSYS_COUNT
        if (resource != NftProtocol.Subsystem && resource != NftProtocol.Subsystem << 8)
        {
            return resource >= SubsystemCount ? Errno.EINVAL : Errno.EOPNOTSUPP;
        }

        Errno errno = new AttributeReader(begin[Headers..]).Read(NFNL_BATCH_GENID, out uint? generation);
        return errno != Errno.None ? errno : generation is not null && generation != tables.Ruleset.Generation ? Errno.ERESTART : Errno.None;
    }

    // False, without a word, if every message is right but what they make together is not.
    private static bool TryRun(NftProtocol tables, ReadOnlySpan<byte> messages, NetlinkSocket sender, bool checksEach)
    {
        NftTransaction transaction = tables.Begin();
        List<(int Offset, int Length, Errno Errno, int BadOffset)> told = [];
        ReadOnlySpan<byte> rest = messages;
        bool hasFailed = false;
        bool isDone = false;
        while (rest.Length >= NetlinkHeader.Length && !isDone)
        {
            NetlinkHeader header = NetlinkHeader.Read(rest);
            if (header.MessageLength < NetlinkHeader.Length || header.MessageLength > rest.Length || header.Type == BatchBegin)
            {
                hasFailed = true;
                told.Clear();
                break;
            }

            int length = (int)header.MessageLength;
            transaction.BadOffset = 0;
            bool isRequest = (header.Flags & NetlinkFlags.NLM_F_REQUEST) != 0;
            isDone = isRequest && header.Type == BatchEnd;
            Errno errno = !isRequest ? Errno.EINVAL : isDone ? Errno.None : Apply(transaction, rest[..length], header, checksEach);
            hasFailed |= errno != Errno.None;
            if (errno != Errno.None || (header.Flags & NetlinkFlags.NLM_F_ACK) != 0)
            {
                told.Add((messages.Length - rest.Length, length, errno, transaction.BadOffset));
            }

            rest = rest[Math.Min(NetlinkHeader.Align(length), rest.Length)..];
        }

        if (hasFailed || !isDone)
        {
            tables.Abort();
        }
        else if (tables.Commit(transaction) != Errno.None && !checksEach)
        {
            return false;
        }

        foreach ((int offset, int length, Errno errno, int badOffset) in told)
        {
            sender.Acknowledge(messages.Slice(offset, length), errno, badOffset);
        }

        return true;
    }

    private static Errno Apply(NftTransaction transaction, ReadOnlySpan<byte> message, in NetlinkHeader header, bool checksResult)
    {
        if (header.Type >> 8 != NftProtocol.Subsystem || message.Length < Headers)
        {
            return Errno.EINVAL;
        }

        Errno errno = transaction.Apply(new NftRequest(message));
        return errno == Errno.None && checksResult ? NftValidation.Check(transaction.Ruleset) : errno;
    }
}

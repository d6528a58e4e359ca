using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>counter</c>.</summary>
internal sealed class NftCounter : NftExpression
{
    private const ushort NFTA_COUNTER_BYTES = 1;
    private const ushort NFTA_COUNTER_PACKETS = 2;

    private readonly RuleCounter _counter;

    private NftCounter(RuleCounter counter) => _counter = counter;

    /// <inheritdoc/>
    public override string Name => "counter";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes) => ParseNumbers(attributes).TryGet(out RuleCounter? counter, out Errno errno) ? new NftCounter(counter) : errno;

    /// <summary>Reads what a counter begins with.</summary>
    public static Result<RuleCounter> ParseNumbers(AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_COUNTER_BYTES, out ulong? bytes);
        ulong? packets = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_COUNTER_PACKETS, out packets);
        return errno != Errno.None ? errno : new RuleCounter(unchecked((long)(packets ?? 0)), unchecked((long)(bytes ?? 0)));
    }

    /// <summary>Adds a counter's numbers to a dump.</summary>
    public static void Put(NetlinkWriter writer, RuleCounter counter, bool reset)
    {
        (long packets, long bytes) = reset ? counter.Take() : (counter.Packets, counter.Bytes);
        writer.PutBig(NFTA_COUNTER_BYTES, unchecked((ulong)bytes));
        writer.PutBig(NFTA_COUNTER_PACKETS, unchecked((ulong)packets));
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet) => _counter.Evaluate(ref packet);

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset) => Put(writer, _counter, reset);
}

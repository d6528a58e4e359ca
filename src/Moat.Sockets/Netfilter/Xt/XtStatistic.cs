using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>statistic: some packets, by chance or every so many (<c>struct xt_statistic_info</c>).</summary>
internal sealed class XtStatistic(bool isByChance, bool isInverted, uint probability, uint every, uint first) : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 24;

    private uint _count = first;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        if (isByChance)
        {
            Span<byte> random = stackalloc byte[sizeof(uint)];
            packet.Stack.Host.Fill(random);
            return (BitConverter.ToUInt32(random) & int.MaxValue) < probability != isInverted;
        }

        uint before;
        uint after;
        do
        {
            before = Volatile.Read(ref _count);
            after = before == every ? 0 : before + 1;
        }
        while (Interlocked.CompareExchange(ref _count, after, before) != before);

        return after == 0 != isInverted;
    }
}

using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>limit</c>: matches so many packets, or bytes, in a time.</summary>
internal sealed class NftLimit : NftExpression
{
    private const ushort NFTA_LIMIT_RATE = 1;
    private const ushort NFTA_LIMIT_UNIT = 2;
    private const ushort NFTA_LIMIT_BURST = 3;
    private const ushort NFTA_LIMIT_TYPE = 4;
    private const ushort NFTA_LIMIT_FLAGS = 5;
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly ulong _rate;
    private readonly ulong _unit;
    private readonly uint _burst;
    private readonly bool _isOfBytes;
    private readonly bool _isInverted;
    private readonly TokenBucket _bucket;

    private NftLimit(ulong rate, ulong unit, uint burst, bool isOfBytes, bool isInverted, TokenBucket bucket) =>
        (_rate, _unit, _burst, _isOfBytes, _isInverted, _bucket) = (rate, unit, burst, isOfBytes, isInverted, bucket);

    /// <inheritdoc/>
    public override string Name => "limit";

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL; EOVERFLOW for a time or burst that is too long.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        const uint DefaultBurst = 5;
        Errno errno = attributes.Read(NFTA_LIMIT_RATE, out ulong? rate);
        ulong? unit = null;
        uint? burst = null;
        uint? type = null;
        uint? flags = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LIMIT_UNIT, out unit);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LIMIT_BURST, out burst);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LIMIT_TYPE, out type);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LIMIT_FLAGS, out flags);
        if (errno != Errno.None || rate is null or 0 || unit is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (type > 1)
        {
            return Errno.EOPNOTSUPP;
        }

        if (flags > 1)
        {
            return Errno.EOPNOTSUPP;
        }

        if (unit > long.MaxValue / NanosecondsPerSecond || unit == 0)
        {
            return unit == 0 ? Errno.EINVAL : Errno.EOVERFLOW;
        }

        bool isOfBytes = type == 1;
        uint most = burst is null or 0 ? isOfBytes ? 0 : DefaultBurst : burst.Value;
        UInt128 window = (UInt128)unit.Value * NanosecondsPerSecond;
        UInt128 room = isOfBytes ? window * (rate.Value + most) / rate.Value : window * most / rate.Value;
        if (room > long.MaxValue)
        {
            return Errno.EOVERFLOW;
        }

        return new NftLimit(rate.Value, unit.Value, most, isOfBytes, flags == 1, new TokenBucket((long)room));
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        UInt128 window = (UInt128)_unit * NanosecondsPerSecond;
        UInt128 cost = _isOfBytes ? window * (ulong)packet.Length / _rate : window / _rate;
        bool isTaken = _bucket.TryTake(packet.Stack.Host.NowNs, cost > long.MaxValue ? long.MaxValue : (long)cost);
        return isTaken != _isInverted ? FilterStep.Continue : FilterStep.Break;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        writer.PutBig(NFTA_LIMIT_RATE, _rate);
        writer.PutBig(NFTA_LIMIT_UNIT, _unit);
        writer.PutBig(NFTA_LIMIT_BURST, _burst);
        writer.PutBig(NFTA_LIMIT_TYPE, _isOfBytes ? 1u : 0);
        writer.PutBig(NFTA_LIMIT_FLAGS, _isInverted ? 1u : 0);
    }
}

using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>lookup</c>: whether a set holds a register's value, and what a map has for it.</summary>
internal sealed class NftLookup : NftExpression
{
    private const ushort NFTA_LOOKUP_SET = 1;
    private const ushort NFTA_LOOKUP_SREG = 2;
    private const ushort NFTA_LOOKUP_DREG = 3;
    private const ushort NFTA_LOOKUP_SET_ID = 4;
    private const ushort NFTA_LOOKUP_FLAGS = 5;
    private const uint Inverted = 1;
    private const int NoRegister = -1;
    private const int VerdictRegister = -2;

    private readonly NftSetIdentity _set;
    private readonly int _from;
    private readonly int _length;
    private readonly int _to;
    private readonly uint _flags;

    private NftLookup(NftSetIdentity set, int from, int length, int to, uint flags) => (_set, _from, _length, _to, _flags) = (set, from, length, to, flags);

    /// <inheritdoc/>
    public override string Name => "lookup";

    /// <inheritdoc/>
    public override NftSetIdentity? Set => _set;

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL, ERANGE; ENOENT for a set that is not there.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes, NftTable table)
    {
        Errno errno = attributes.ReadName(NFTA_LOOKUP_SET, NftNames.MaxLength, out string? name);
        uint? id = null;
        uint? flags = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LOOKUP_SET_ID, out id);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LOOKUP_FLAGS, out flags);
        if (errno != Errno.None || name is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if ((table.FindSet(name) ?? table.Sets.Find(candidate => id is not null && candidate.Id == id)) is not { } set)
        {
            return Errno.ENOENT;
        }

        if (!NftRegister.Read(attributes, NFTA_LOOKUP_SREG, set.KeyLength).TryGet(out int from, out errno) || (flags ?? 0) > Inverted)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        int to = NoRegister;
        if (attributes.Has(NFTA_LOOKUP_DREG))
        {
            if ((flags ?? 0) != 0 || !set.Has(NftSet.Map))
            {
                return Errno.EINVAL;
            }

            errno = ReadTarget(attributes, set, out to);
        }
        else if (set.Has(NftSet.Map))
        {
            return Errno.EINVAL;
        }

        return errno != Errno.None ? errno : new NftLookup(set.Identity, from, set.KeyLength, to, flags ?? 0);
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        bool isFound = _set.Elements.TryFind(packet.Registers.Bytes(_from, _length), out NftElement? element);
        if (isFound == (_flags == Inverted))
        {
            return FilterStep.Break;
        }

        if (_to == VerdictRegister && element is not null)
        {
            packet.Target = element.Target;
            return element.Step;
        }

        if (_to >= 0 && element is not null)
        {
            NftRegister.Store(ref packet.Registers, _to, element.Data);
        }

        return FilterStep.Continue;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        writer.Put(NFTA_LOOKUP_SET, _set.Name);
        NftRegister.Put(writer, NFTA_LOOKUP_SREG, _from);
        if (_to == VerdictRegister)
        {
            writer.PutBig(NFTA_LOOKUP_DREG, NftRegister.Verdict);
        }
        else if (_to != NoRegister)
        {
            NftRegister.Put(writer, NFTA_LOOKUP_DREG, _to);
        }

        writer.PutBig(NFTA_LOOKUP_FLAGS, _flags);
    }

    private static Errno ReadTarget(AttributeReader attributes, NftSet set, out int to)
    {
        to = VerdictRegister;
        Errno errno = attributes.Read(NFTA_LOOKUP_DREG, out uint? number);
        if (errno != Errno.None || set.DataType == NftSet.VerdictType != (number == NftRegister.Verdict))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (number != NftRegister.Verdict)
        {
            _ = NftRegister.Read(attributes, NFTA_LOOKUP_DREG, set.DataLength).TryGet(out to, out errno);
        }

        return errno;
    }
}

using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>bitwise</c>: masks and flips the bits of a register, or shifts its words.</summary>
internal sealed class NftBitwise : NftExpression
{
    private const ushort NFTA_BITWISE_SREG = 1;
    private const ushort NFTA_BITWISE_DREG = 2;
    private const ushort NFTA_BITWISE_LEN = 3;
    private const ushort NFTA_BITWISE_MASK = 4;
    private const ushort NFTA_BITWISE_XOR = 5;
    private const ushort NFTA_BITWISE_OP = 6;
    private const ushort NFTA_BITWISE_DATA = 7;
    private const uint MaskXor = 0;
    private const uint LeftShift = 1;
    private const uint RightShift = 2;
    private const int WordBits = 32;

    private readonly int _from;
    private readonly int _to;
    private readonly int _length;
    private readonly uint _operation;
    private readonly byte[] _mask;
    private readonly byte[] _flip;
    private readonly int _shift;

    private NftBitwise(int from, int to, int length, uint operation, byte[] mask, byte[] flip, int shift) =>
        (_from, _to, _length, _operation, _mask, _flip, _shift) = (from, to, length, operation, mask, flip, shift);

    /// <inheritdoc/>
    public override string Name => "bitwise";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_BITWISE_LEN, out uint? length);
        uint? operation = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_BITWISE_OP, out operation);
        if (errno != Errno.None || length is null or 0)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (length > byte.MaxValue)
        {
            return Errno.ERANGE;
        }

        int count = (int)length.Value;
        if (!NftRegister.Read(attributes, NFTA_BITWISE_SREG, count).TryGet(out int from, out errno) || !NftRegister.Read(attributes, NFTA_BITWISE_DREG, count).TryGet(out int to, out errno))
        {
            return errno;
        }

        if ((operation ?? MaskXor) == MaskXor)
        {
            if (attributes.Has(NFTA_BITWISE_DATA))
            {
                return Errno.EINVAL;
            }

            if (!NftData.ReadValue(attributes.Nest(NFTA_BITWISE_MASK)).TryGet(out byte[]? mask, out errno) || !NftData.ReadValue(attributes.Nest(NFTA_BITWISE_XOR)).TryGet(out byte[]? flip, out errno))
            {
                return errno;
            }

            return mask.Length == count && flip.Length == count ? new NftBitwise(from, to, count, MaskXor, mask, flip, 0) : Errno.EINVAL;
        }

        if (operation > RightShift)
        {
            return Errno.EOPNOTSUPP; // two registers
        }

        if (attributes.Has(NFTA_BITWISE_MASK) || attributes.Has(NFTA_BITWISE_XOR) || !NftData.ReadValue(attributes.Nest(NFTA_BITWISE_DATA)).TryGet(out byte[]? data, out errno) || data.Length != sizeof(uint))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        uint shift = BitConverter.ToUInt32(data);
        return shift < WordBits && count % sizeof(uint) == 0 ? new NftBitwise(from, to, count, operation!.Value, [], [], (int)shift) : Errno.EINVAL;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        if (_operation == MaskXor)
        {
            Span<byte> result = stackalloc byte[NftData.MaxLength];
            packet.Registers.Bytes(_from, _length).CopyTo(result);
            for (int i = 0; i < _length; i++)
            {
                result[i] = (byte)((result[i] & _mask[i]) ^ _flip[i]);
            }

            NftRegister.Store(ref packet.Registers, _to, result[.._length]);
            return FilterStep.Continue;
        }

        Shift(ref packet.Registers);
        return FilterStep.Continue;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        NftRegister.Put(writer, NFTA_BITWISE_SREG, _from);
        NftRegister.Put(writer, NFTA_BITWISE_DREG, _to);
        writer.PutBig(NFTA_BITWISE_LEN, (uint)_length);
        writer.PutBig(NFTA_BITWISE_OP, _operation);
        if (_operation == MaskXor)
        {
            NftData.Put(writer, NFTA_BITWISE_MASK, _mask);
            NftData.Put(writer, NFTA_BITWISE_XOR, _flip);
        }
        else
        {
            NftData.Put(writer, NFTA_BITWISE_DATA, BitConverter.GetBytes(_shift));
        }
    }

    // The first word is the highest; bits go from word to word.
    private void Shift(ref FilterRegisters registers)
    {
        int words = _length / sizeof(uint);
        uint carry = 0;
        if (_operation == RightShift)
        {
            for (int i = 0; i < words; i++)
            {
                uint word = registers[_from + i];
                registers[_to + i] = carry | word >> _shift;
                carry = _shift == 0 ? 0 : word << (WordBits - _shift);
            }

            return;
        }

        for (int i = words - 1; i >= 0; i--)
        {
            uint word = registers[_from + i];
            registers[_to + i] = word << _shift | carry;
            carry = _shift == 0 ? 0 : word >> (WordBits - _shift);
        }
    }
}

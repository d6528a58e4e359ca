using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary>NFTA_DATA_*: a value or a verdict.</summary>
internal readonly record struct NftData
{
    /// <summary>The longest value.</summary>
    public const int MaxLength = 64;

    private const ushort NFTA_DATA_VALUE = 1;
    private const ushort NFTA_DATA_VERDICT = 2;
    private const ushort NFTA_VERDICT_CODE = 1;
    private const ushort NFTA_VERDICT_CHAIN = 2;
    private const ushort NFTA_VERDICT_CHAIN_ID = 3;

    /// <summary>The value; null if it is a verdict.</summary>
    public byte[]? Value { get; private init; }

    /// <summary>The verdict.</summary>
    public FilterStep Step { get; private init; }

    /// <summary>The chain that it leads to.</summary>
    public NftChainIdentity? Target { get; private init; }

    /// <summary>Reads a value.</summary>
    /// <returns>EINVAL if it is a verdict, empty or too long.</returns>
    public static Result<byte[]> ReadValue(AttributeReader data)
    {
        ReadOnlySpan<byte> value = data.Bytes(NFTA_DATA_VALUE);
        return value.IsEmpty || value.Length > MaxLength ? Errno.EINVAL : value.ToArray();
    }

    /// <summary>Reads a value or a verdict.</summary>
    /// <returns>EINVAL; ENOENT for a chain that is not there.</returns>
    public static Result<NftData> Read(AttributeReader data, NftTable table)
    {
        if (!data.Has(NFTA_DATA_VERDICT))
        {
            return ReadValue(data).TryGet(out byte[]? value, out Errno invalid) ? new NftData { Value = value } : invalid;
        }

        AttributeReader verdict = data.Nest(NFTA_DATA_VERDICT);
        Errno errno = verdict.Read(NFTA_VERDICT_CODE, out uint? code);
        if (errno != Errno.None || code is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (ToStep(unchecked((int)code.Value)) is not { } step)
        {
            return Errno.EINVAL;
        }

        if (step is not (FilterStep.Jump or FilterStep.Goto))
        {
            return new NftData { Step = step };
        }

        errno = verdict.ReadName(NFTA_VERDICT_CHAIN, NftNames.MaxLength, out string? name);
        uint? id = null;
        errno = errno != Errno.None ? errno : verdict.Read(NFTA_VERDICT_CHAIN_ID, out id);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (name is null && id is null)
        {
            return Errno.EINVAL;
        }

        NftChain? chain = name is not null ? table.FindChain(name) : table.Chains.Find(candidate => candidate.Id == id && id != 0);
        return chain is null ? Errno.ENOENT : chain.Hook is not null ? Errno.EOPNOTSUPP : new NftData { Step = step, Target = chain.Identity };
    }

    /// <summary>Adds a value to a dump.</summary>
    public static void Put(NetlinkWriter writer, ushort type, ReadOnlySpan<byte> value)
    {
        int nest = writer.BeginNest(type);
        writer.Put(NFTA_DATA_VALUE, value);
        writer.EndNest(nest);
    }

    /// <summary>Adds a verdict to a dump.</summary>
    public static void Put(NetlinkWriter writer, ushort type, FilterStep step, NftChainIdentity? target)
    {
        int nest = writer.BeginNest(type);
        int verdict = writer.BeginNest(NFTA_DATA_VERDICT);
        writer.PutBig(NFTA_VERDICT_CODE, unchecked((uint)ToCode(step)));
        if (target is not null)
        {
            writer.Put(NFTA_VERDICT_CHAIN, target.Name);
        }

        writer.EndNest(verdict);
        writer.EndNest(nest);
    }

    private static FilterStep? ToStep(int code) => code switch
    {
        -1 => FilterStep.Continue,
        -2 => FilterStep.Break,
        -3 => FilterStep.Jump,
        -4 => FilterStep.Goto,
        -5 => FilterStep.Return,
        0 => FilterStep.Drop,
        1 => FilterStep.Accept,
        _ => null, // NF_QUEUE and what is for the kernel alone
    };

    private static int ToCode(FilterStep step) => step switch
    {
        FilterStep.Continue => -1,
        FilterStep.Break => -2,
        FilterStep.Jump => -3,
        FilterStep.Goto => -4,
        FilterStep.Return => -5,
        FilterStep.Drop => 0,
        _ => 1,
    };
}

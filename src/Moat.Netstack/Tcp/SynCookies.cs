using System.Buffers.Binary;
using System.Numerics;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Keyed hashes of a connection's ends: initial sequence numbers (RFC 6528) and SYN cookies (RFC 4987 section 3.6), which let a handshake finish without a memory of its beginning.</summary>
/// <remarks>The hash is SipHash-2-4 under a key from the host, which a peer cannot learn from its outputs.</remarks>
internal sealed class SynCookies
{
    /// <summary>How long a cookie is good for.</summary>
    public const long LifetimeNs = 2 * PeriodNs;

    private const long PeriodNs = 60_000_000_000;
    private static readonly ushort[] s_mss = [536, 1300, 1440, 1460, 4312, 8960, 16384, 65495];

    private readonly ulong _key0;
    private readonly ulong _key1;

    public SynCookies(INetHost host)
    {
        Span<byte> key = stackalloc byte[16];
        host.Fill(key);
        _key0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _key1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
    }

    /// <summary>The initial sequence number of a connection: a clock of 64 ns and the hash of its ends, so that the next one between them starts further on and nobody else can guess it.</summary>
    public SequenceNumber InitialSequence(in FlowKey key, long nowNs) => new(unchecked((uint)Hash(key, 0) + (uint)(nowNs >> 6)));

    /// <summary>A number for choosing ports that differs with the destination (RFC 6056 section 3.3.3).</summary>
    public uint PortOffset(in FlowKey key) => (uint)(Hash(key, 1) >> 32);

    /// <summary>The initial sequence number that stands for a SYN: it holds the segment size in three bits and a minute in five.</summary>
    public SequenceNumber Create(in FlowKey key, SequenceNumber remoteInitial, int mss, long nowNs)
    {
        int index = s_mss.Length - 1;
        while (index > 0 && s_mss[index] > mss)
        {
            index--;
        }

        uint minute = (uint)(nowNs / PeriodNs) & 31;
        return new SequenceNumber(CookieHash(key, remoteInitial, minute, index) << 8 | minute << 3 | (uint)index);
    }

    /// <summary>Whether an acknowledgment is of a cookie of the last two minutes.</summary>
    /// <param name="key">The two ends.</param>
    /// <param name="cookie">SEG.ACK - 1.</param>
    /// <param name="remoteInitial">SEG.SEQ - 1.</param>
    /// <param name="nowNs">The time.</param>
    /// <param name="mss">The segment size that it holds.</param>
    public bool TryVerify(in FlowKey key, SequenceNumber cookie, SequenceNumber remoteInitial, long nowNs, out int mss)
    {
        int index = (int)(cookie.Value & 7);
        uint minute = cookie.Value >> 3 & 31;
        mss = s_mss[index];
        uint age = ((uint)(nowNs / PeriodNs) - minute) & 31;
        return age <= 1 && CookieHash(key, remoteInitial, minute, index) == cookie.Value >> 8;
    }

    private uint CookieHash(in FlowKey key, SequenceNumber remoteInitial, uint minute, int index) =>
        (uint)(Hash(key, 2UL | (ulong)remoteInitial.Value << 32 | minute << 8 | (ulong)(uint)index << 16) >> 40);

    private ulong Hash(in FlowKey key, ulong salt)
    {
        Span<byte> bytes = stackalloc byte[48];
        key.Local.Address.WriteV6To(bytes);
        key.Remote.Address.WriteV6To(bytes[16..]);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[32..], key.Local.Port);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[34..], key.Remote.Port);
        bytes[36..40].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[40..], salt);
        ulong v0 = _key0 ^ 0x736f_6d65_7073_6575;
        ulong v1 = _key1 ^ 0x646f_7261_6e64_6f6d;
        ulong v2 = _key0 ^ 0x6c79_6765_6e65_7261;
        ulong v3 = _key1 ^ 0x7465_6462_7974_6573;
        for (int i = 0; i < bytes.Length; i += sizeof(ulong))
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }

        ulong last = (ulong)bytes.Length << 56;
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        for (int i = 0; i < 4; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }

        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}

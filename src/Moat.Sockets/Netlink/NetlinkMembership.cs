using System.Buffers.Binary;

namespace Moat.Sockets.Netlink;

/// <summary>The multicast groups of a netlink socket, numbered from 1 on. Any thread; each word is read and written as one.</summary>
internal sealed class NetlinkMembership(int count)
{
    private const int WordBits = 32;

    private readonly uint[] _words = new uint[Math.Max(1, (count + WordBits - 1) / WordBits)];

    /// <summary>The first 32 groups, as an address has them.</summary>
    public uint FirstWord => Volatile.Read(ref _words[0]);

    /// <summary>Whether a group is one of the protocol's.</summary>
    public bool Exists(uint group) => group >= 1 && group <= count;

    /// <summary>Whether the socket is a member.</summary>
    public bool Contains(int group) => group >= 1 && group <= count && (Volatile.Read(ref _words[(group - 1) / WordBits]) >> ((group - 1) % WordBits) & 1) != 0;

    /// <summary>Joins and leaves the first 32 groups.</summary>
    public void SetFirstWord(uint groups) => Volatile.Write(ref _words[0], groups);

    /// <summary>Joins or leaves a group that <see cref="Exists"/>.</summary>
    public void Set(int group, bool isMember)
    {
        uint bit = 1u << ((group - 1) % WordBits);
        ref uint word = ref _words[(group - 1) / WordBits];
        _ = isMember ? Interlocked.Or(ref word, bit) : Interlocked.And(ref word, ~bit);
    }

    /// <summary>Writes as many words as there is room for.</summary>
    /// <returns>How many bytes there are.</returns>
    public int WriteTo(Span<byte> bytes)
    {
        for (int i = 0; i < _words.Length && (i + 1) * sizeof(uint) <= bytes.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i * sizeof(uint))..], Volatile.Read(ref _words[i]));
        }

        return _words.Length * sizeof(uint);
    }
}

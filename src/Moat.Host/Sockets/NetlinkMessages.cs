using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Moat.Host.Sockets;

/// <summary>Writes requests to the host's kernel (netlink(7)): messages with attributes, one behind another.</summary>
internal sealed class NetlinkMessages
{
    private const int HeaderLength = 16; // struct nlmsghdr
    private const ushort IsRequest = 1; // NLM_F_REQUEST
    private const ushort IsNested = 0x8000; // NLA_F_NESTED

    private readonly List<byte> _bytes = [];
    private int _start;
    private uint _sequence;

    /// <summary>The number of the last message.</summary>
    public uint LastSequence => _sequence;

    /// <summary>Begins a message and ends the one before it.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="flags">NLM_F_* besides NLM_F_REQUEST.</param>
    /// <param name="fixedPart">What stands before the attributes.</param>
    public void Begin(ushort type, ushort flags, ReadOnlySpan<byte> fixedPart)
    {
        End();
        Span<byte> header = stackalloc byte[HeaderLength];
        header.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)(flags | IsRequest));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], ++_sequence);
        _bytes.AddRange(header);
        Append(fixedPart);
    }

    /// <summary>Adds an attribute.</summary>
    public void Put(ushort type, ReadOnlySpan<byte> value)
    {
        Span<byte> header = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)(header.Length + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], type);
        _bytes.AddRange(header);
        Append(value);
    }

    /// <summary>Adds a number in network order, as netfilter has them.</summary>
    public void PutBigEndian(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Put(type, bytes);
    }

    /// <summary>Adds a text with a zero byte behind it.</summary>
    public void Put(ushort type, string text) => Put(type, Encoding.ASCII.GetBytes(text + '\0'));

    /// <summary>Begins an attribute that holds others.</summary>
    /// <returns>For <see cref="EndNest"/>.</returns>
    public int BeginNest(ushort type)
    {
        int start = _bytes.Count;
        Put((ushort)(type | IsNested), []);
        return start;
    }

    /// <summary>Ends an attribute that holds others.</summary>
    public void EndNest(int start) => BinaryPrimitives.WriteUInt16LittleEndian(CollectionsMarshal.AsSpan(_bytes)[start..], (ushort)(_bytes.Count - start));

    /// <summary>All messages.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        End();
        return CollectionsMarshal.AsSpan(_bytes);
    }

    private void End()
    {
        if (_bytes.Count > _start)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(CollectionsMarshal.AsSpan(_bytes)[_start..], (uint)(_bytes.Count - _start));
        }

        _start = _bytes.Count;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> padding = [0, 0, 0];
        _bytes.AddRange(bytes);
        _bytes.AddRange(padding[..(-bytes.Length & 3)]);
    }
}

using System.Buffers.Binary;
using System.Text;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>Writes messages for one receiver, into datagrams of the size that every receiver has room for (NLMSG_GOODSIZE).</summary>
/// <param name="port">The receiver's port.</param>
/// <param name="sequence">The number of the request that is answered.</param>
internal sealed class NetlinkWriter(uint port, uint sequence)
{
    private const int DatagramLength = 3776;
    private const int AttributeHeaderLength = 4;

    private readonly List<byte[]> _full = [];
    private byte[] _buffer = new byte[DatagramLength];
    private int _length;
    private int _start; // of the message that is being written

    /// <summary>Begins a message.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="flags">Its flags.</param>
    /// <param name="header">The fixed part of its payload.</param>
    public void Begin(ushort type, NetlinkFlags flags, ReadOnlySpan<byte> header)
    {
        _start = _length;
        new NetlinkHeader(0, type, flags, sequence, port).Write(Append(NetlinkHeader.Length));
        header.CopyTo(Append(header.Length));
    }

    /// <summary>Adds an attribute.</summary>
    public void Put(ushort type, ReadOnlySpan<byte> value)
    {
        Span<byte> attribute = Append(AttributeHeaderLength + value.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)attribute.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], type);
        value.CopyTo(attribute[AttributeHeaderLength..]);
    }

    /// <summary>Adds an attribute of one byte.</summary>
    public void Put(ushort type, byte value) => Put(type, [value]);

    /// <summary>Adds an attribute of 32 bits.</summary>
    public void Put(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Put(type, bytes);
    }

    /// <summary>Adds a text with a zero byte behind it.</summary>
    public void Put(ushort type, string text) => Put(type, Encoding.Latin1.GetBytes(text + '\0'));

    /// <summary>Adds an IP address.</summary>
    public void Put(ushort type, IpAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.WriteTo(bytes);
        Put(type, bytes[..address.Length]);
    }

    /// <summary>Adds a link-layer address.</summary>
    public void Put(ushort type, EthernetAddress address)
    {
        Span<byte> bytes = stackalloc byte[EthernetAddress.Length];
        address.WriteTo(bytes);
        Put(type, bytes);
    }

    /// <summary>Begins an attribute that holds others.</summary>
    /// <returns>For <see cref="EndNest"/>.</returns>
    public int BeginNest(ushort type)
    {
        int nest = _length;
        Put(type, ReadOnlySpan<byte>.Empty);
        return nest;
    }

    /// <summary>Ends an attribute that holds others.</summary>
    public void EndNest(int nest) => BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(nest), (ushort)(_length - nest));

    /// <summary>Ends the message; one that does not fit into the datagram begins the next.</summary>
    public void End()
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_start), (uint)(_length - _start));
        if (_length > DatagramLength && _start > 0)
        {
            _full.Add(_buffer[.._start]);
            _buffer.AsSpan(_start.._length).CopyTo(_buffer);
            _length -= _start;
        }
    }

    /// <summary>The end of a dump.</summary>
    public void Done()
    {
        Begin(NetlinkHeader.Done, NetlinkFlags.NLM_F_MULTI, stackalloc byte[sizeof(int)]);
        End();
    }

    /// <summary>Ends the datagram: what follows begins the next.</summary>
    public void Cut()
    {
        if (_length > 0)
        {
            _full.Add(_buffer[.._length]);
            _length = 0;
        }
    }

    /// <summary>The datagrams written.</summary>
    public List<byte[]> Finish()
    {
        Cut();
        return _full;
    }

    // The padding behind it is zero.
    private Span<byte> Append(int length)
    {
        int padded = NetlinkHeader.Align(length);
        if (_length + padded > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + padded));
        }

        Span<byte> added = _buffer.AsSpan(_length, padded);
        added.Clear();
        _length += padded;
        return added[..length];
    }
}

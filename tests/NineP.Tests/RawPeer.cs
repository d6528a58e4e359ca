using Moat.Linux;

namespace Moat.NineP.Tests;

/// <summary>Speaks to a server field by field, right or wrong.</summary>
internal sealed class RawPeer(INinePTransport transport)
{
    private readonly NinePWriter _writer = new(NinePServer.MaxMessage + 4096);
    private readonly NinePStream _stream = new(transport, NinePServer.MaxMessage);

    /// <summary>Writes a request's fields.</summary>
    public delegate void Fields(NinePWriter writer);

    /// <summary>Sends a request and waits for the answer.</summary>
    /// <returns>None if the answer is of the right type and tag, or the errno in it.</returns>
    public Errno Call(NinePMessageType type, Fields fields) => Call(type, fields, out _);

    /// <summary>As above, with the answer's fields.</summary>
    public Errno Call(NinePMessageType type, Fields fields, out byte[] answer)
    {
        _writer.Begin((byte)type, 77);
        fields(_writer);
        return Exchange((byte)(type + 1), _writer.End(), out answer);
    }

    /// <summary>Sends bytes as they are and waits for an answer.</summary>
    public Errno Exchange(byte expected, ReadOnlySpan<byte> request, out byte[] answer)
    {
        answer = [];
        Assert.Equal(Errno.None, transport.Send(request, []));
        Errno errno = _stream.Receive([], out ReadOnlySpan<byte> message);
        if (errno != Errno.None)
        {
            return errno;
        }

        NinePReader reader = new(message[4..]);
        byte type = reader.Byte();
        ushort tag = reader.UInt16();
        Assert.Equal(request[5] | (request[6] << 8), tag);
        if (type == (byte)NinePMessageType.Rlerror)
        {
            return (Errno)reader.UInt32();
        }

        Assert.Equal(expected, type);
        answer = message[7..].ToArray();
        return Errno.None;
    }

    /// <summary>Agrees on a version and attaches a fid.</summary>
    public void Attach(uint fid, string version = NinePVersion.Extended)
    {
        Assert.Equal(Errno.None, Version(version, 65536));
        Assert.Equal(Errno.None, Call(NinePMessageType.Tattach, writer => WriteAttach(writer, fid)));
    }

    /// <summary>Tversion.</summary>
    public Errno Version(string version, uint size) => Call(NinePMessageType.Tversion, writer =>
    {
        writer.UInt32(size);
        writer.String(version);
    });

    /// <summary>Twalk.</summary>
    public Errno Walk(uint fid, uint newFid, out byte[] answer, params string[] names) => Call(
        NinePMessageType.Twalk,
        writer =>
        {
            writer.UInt32(fid);
            writer.UInt32(newFid);
            writer.UInt16((ushort)names.Length);
            foreach (string name in names)
            {
                writer.String(name);
            }
        },
        out answer);

    /// <summary>Twalk, where only the error counts.</summary>
    public Errno Walk(uint fid, uint newFid, params string[] names) => Walk(fid, newFid, out _, names);

    /// <summary>The fields of Tattach.</summary>
    public static void WriteAttach(NinePWriter writer, uint fid)
    {
        writer.UInt32(fid);
        writer.UInt32(uint.MaxValue);
        writer.String("");
        writer.String("");
        writer.UInt32(0);
    }
}

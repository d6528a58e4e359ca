using Moat.Linux;

namespace Moat.NineP;

/// <summary>A client's side of a connection: one request, one answer. A malformed answer ends it, after which everything gives EIO. Guarded by the client's lock.</summary>
/// <param name="transport">The connection.</param>
/// <param name="closeDescriptor">Closes a descriptor that came without being asked for.</param>
/// <param name="maxMessage">The largest message.</param>
internal sealed class NinePExchange(INinePTransport transport, Action<int> closeDescriptor, int maxMessage)
{
    private readonly NinePStream _stream = new(transport, maxMessage);
    private readonly List<int> _received = [];

    /// <summary>Reads the fields of an answer.</summary>
    public delegate T Parse<T>(ref NinePReader reader);

    /// <summary>Takes the fields of a request.</summary>
    public NinePWriter Writer { get; } = new(maxMessage);

    /// <summary>Whether the connection is over.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Starts a request; its fields go to <see cref="Writer"/>.</summary>
    public void Begin(NinePMessageType type) => Writer.Begin((byte)type, 1);

    /// <summary>Sends the request; the answer's fields do not count.</summary>
    public Errno Call() => Run(out _);

    /// <summary>Sends the request and reads the answer.</summary>
    public Result<T> Call<T>(Parse<T> parse)
    {
        Errno errno = Run(out NinePReader reader);
        if (errno != Errno.None)
        {
            return errno;
        }

        T value = parse(ref reader);
        return reader.IsMalformed ? Break() : value;
    }

    /// <summary>Sends the request; attributes and one descriptor are the answer.</summary>
    public Result<(int Descriptor, NinePAttributes Attributes)> CallForDescriptor()
    {
        Errno errno = Run(out NinePReader reader, keepDescriptors: true);
        if (errno != Errno.None)
        {
            return errno;
        }

        NinePAttributes attributes = NinePAttributes.Read(ref reader);
        if (reader.IsMalformed || _received.Count != 1)
        {
            DropReceived();
            return Break();
        }

        int descriptor = _received[0];
        _received.Clear();
        return (descriptor, attributes);
    }

    /// <summary>Sends the request; errors and a descriptor for each that is none are the answer.</summary>
    public Errno CallForDescriptors(int count, List<int> descriptors)
    {
        Errno errno = Run(out NinePReader reader, keepDescriptors: true);
        if (errno != Errno.None)
        {
            return errno;
        }

        int taken = 0;
        for (int i = 0; i < count; i++)
        {
            descriptors.Add(reader.UInt32() == 0 && taken < _received.Count ? _received[taken++] : -1);
        }

        if (reader.IsMalformed || taken != _received.Count)
        {
            descriptors.Clear();
            DropReceived();
            return Break();
        }

        _received.Clear();
        return Errno.None;
    }

    /// <summary>Sends the request and gets the answer's fields.</summary>
    /// <param name="reader">Valid until the next request.</param>
    /// <param name="keepDescriptors">Whether descriptors are wanted.</param>
    public Errno Run(out NinePReader reader, bool keepDescriptors = false)
    {
        reader = default;
        if (IsBroken)
        {
            return Errno.EIO;
        }

        ReadOnlySpan<byte> request = Writer.End();
        byte expected = (byte)(request[4] + 1);
        ushort tag = (ushort)(request[5] | (request[6] << 8));
        ReadOnlySpan<byte> message = default;
        if (transport.Send(request, []) != Errno.None || _stream.Receive(_received, out message) != Errno.None)
        {
            DropReceived();
            return Break();
        }

        if (!keepDescriptors)
        {
            DropReceived();
        }

        reader = new NinePReader(message[4..]);
        byte type = reader.Byte();
        if (reader.UInt16() == tag && type == expected)
        {
            return Errno.None;
        }

        DropReceived();
        uint error = reader.UInt32();
        return type == (byte)NinePMessageType.Rlerror && !reader.IsMalformed && error is > 0 and < 4096 ? (Errno)error : Break();
    }

    /// <summary>The answer was malformed: the connection is over.</summary>
    public Errno Break()
    {
        IsBroken = true;
        return Errno.EIO;
    }

    private void DropReceived()
    {
        _received.ForEach(closeDescriptor);
        _received.Clear();
    }
}

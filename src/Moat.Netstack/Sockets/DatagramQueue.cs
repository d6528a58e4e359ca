using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>What a datagram socket has received and nobody has read: whole datagrams within a limit of memory. Any thread.</summary>
public sealed class DatagramQueue(ISocketObserver observer, SocketMemory memory)
{
    private readonly Lock _lock = new();
    private readonly Queue<Entry> _entries = new(); // guarded by _lock
    private long _trueSize; // guarded by _lock
    private long _dropped;

    /// <summary>SO_RCVBUF in effect.</summary>
    public long Limit { get; set; } = 212_992;

    /// <summary>Datagrams that found no room.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>The memory of what waits.</summary>
    public long HeldBytes
    {
        get
        {
            lock (_lock)
            {
                return _trueSize;
            }
        }
    }

    /// <summary>Whether something is there.</summary>
    public bool HasData
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count > 0;
            }
        }
    }

    /// <summary>Bytes of the next datagram (FIONREAD).</summary>
    public int NextLength
    {
        get
        {
            lock (_lock)
            {
                return _entries.TryPeek(out Entry entry) ? entry.Packet.Length : 0;
            }
        }
    }

    /// <summary>Takes a datagram, which the packet begins with.</summary>
    public void Add(Packet packet, in IpInfo info, ushort sourcePort)
    {
        lock (_lock)
        {
            if (_entries.Count > 0 && (_trueSize + packet.TrueSize > Limit || memory.IsShort))
            {
                Interlocked.Increment(ref _dropped);
                packet.Release();
                return;
            }

            _trueSize += packet.TrueSize;
            _entries.Enqueue(new Entry(packet, new IpEndpoint(info.Source, sourcePort), info.Destination, info.TimeToLive, info.TypeOfService));
        }

        observer.OnEvents(NetEvents.Readable);
    }

    /// <summary>Receives one datagram.</summary>
    /// <returns>WouldBlock; Fault, and the datagram is lost, as in Linux.</returns>
    public NetError Receive<TSink>(ref TSink sink, bool peek, out ReceivedDatagram received)
        where TSink : struct, IByteSink, allows ref struct
    {
        received = default;
        Entry entry;
        Packet packet;
        lock (_lock)
        {
            if (!(peek ? _entries.TryPeek(out entry) : _entries.TryDequeue(out entry)))
            {
                return NetError.WouldBlock;
            }

            packet = peek ? entry.Packet.Share() : entry.Packet;
            _trueSize -= peek ? 0 : packet.TrueSize;
        }

        int length = packet.Length;
        long room = sink.Length;
        int done = 0;
        while (done < length && sink.Length > 0)
        {
            ReadOnlySpan<byte> piece = packet.PieceAt(done);
            piece = piece[..(int)Math.Min(piece.Length, sink.Length)];
            int copied = sink.CopyFrom(piece);
            done += copied;
            if (copied < piece.Length)
            {
                packet.Release();
                return NetError.Fault;
            }
        }

        received = new ReceivedDatagram
        {
            Source = entry.Source,
            Destination = entry.Destination,
            InterfaceIndex = packet.InterfaceIndex,
            TimeToLive = entry.TimeToLive,
            TypeOfService = entry.TypeOfService,
            ArrivedNs = packet.ArrivedNs,
            Length = length,
            IsTruncated = room < length,
        };
        packet.Release();
        return NetError.None;
    }

    /// <summary>Releases everything.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            while (_entries.TryDequeue(out Entry entry))
            {
                entry.Packet.Release();
            }

            _trueSize = 0;
        }
    }

    private readonly record struct Entry(Packet Packet, IpEndpoint Source, IpAddress Destination, byte TimeToLive, byte TypeOfService);
}

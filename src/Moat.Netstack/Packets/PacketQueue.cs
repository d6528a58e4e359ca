namespace Moat.Netstack.Packets;

/// <summary>Packets in order, linked through themselves. Guarded by its owner's lock.</summary>
public struct PacketQueue
{
    private Packet? _first;
    private Packet? _last;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Their <see cref="Packet.TrueSize"/> together.</summary>
    public long TrueSize { get; private set; }

    /// <summary>The first, which stays in the queue.</summary>
    public readonly Packet? First => _first;

    /// <summary>The last, which stays in the queue.</summary>
    public readonly Packet? Last => _last;

    /// <summary>Adds one at the end; the queue owns it from now on.</summary>
    public void Enqueue(Packet packet)
    {
        packet.Next = null;
        if (_last is null)
        {
            _first = packet;
        }
        else
        {
            _last.Next = packet;
        }

        _last = packet;
        Count++;
        TrueSize += packet.TrueSize;
    }

    /// <summary>Takes the first; it is the caller's.</summary>
    public Packet? Dequeue()
    {
        if (_first is not { } packet)
        {
            return null;
        }

        _first = packet.Next;
        if (_first is null)
        {
            _last = null;
        }

        packet.Next = null;
        Count--;
        TrueSize -= packet.TrueSize;
        return packet;
    }

    /// <summary>Releases everything.</summary>
    public void Clear()
    {
        while (Dequeue() is { } packet)
        {
            packet.Release();
        }
    }
}

using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>A link whose other end is a program (Documentation/networking/tuntap.rst): IP packets (TUN), or frames of Ethernet (TAP).</summary>
/// <param name="isTap">Whether it has frames.</param>
/// <param name="address">Its address; of TUN none.</param>
public sealed class TunLink(bool isTap, EthernetAddress address) : VirtualLink(address)
{
    private const int MaxQueued = 500; // TUN_READQ_SIZE

    private readonly Lock _lock = new();
    private PacketQueue _queue; // guarded by _lock
    private ITunReader? _reader; // guarded by _lock
    private bool _hasGone; // guarded by _lock

    /// <inheritdoc/>
    public override string Kind => "tun";

    /// <summary>Whether it has frames of Ethernet.</summary>
    public bool IsTap => isTap;

    /// <inheritdoc/>
    public override LinkFeatures Features => isTap ? LinkFeatures.Ethernet | LinkFeatures.Internal : LinkFeatures.Internal;

    /// <inheritdoc/>
    public override bool HasCarrier => Volatile.Read(ref _reader) is not null;

    /// <summary>Whether the interface stays without a program (TUNSETPERSIST).</summary>
    public bool IsPersistent { get; set; }

    /// <summary>Who may take it without CAP_NET_ADMIN (TUNSETOWNER); null for anybody who has that.</summary>
    public uint? OwnerUid { get; set; }

    /// <summary>The same of a group (TUNSETGROUP).</summary>
    public uint? OwnerGid { get; set; }

    /// <summary>Whether there is something to read.</summary>
    public bool IsReadable
    {
        get
        {
            lock (_lock)
            {
                return _queue.Count > 0;
            }
        }
    }

    /// <summary>A program takes the other end.</summary>
    /// <returns>False if another one has it, or the interface has gone.</returns>
    public bool TryTake(ITunReader reader)
    {
        lock (_lock)
        {
            if (_reader is not null || _hasGone)
            {
                return false;
            }

            Volatile.Write(ref _reader, reader);
            return true;
        }
    }

    /// <summary>The program leaves; what it has not read goes.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            Volatile.Write(ref _reader, null);
            _queue.Clear();
        }
    }

    /// <summary>The next packet for the program, which it releases; null if there is none.</summary>
    public Packet? Take()
    {
        lock (_lock)
        {
            return _queue.Dequeue();
        }
    }

    /// <inheritdoc/>
    public override void Transmit(Packet packet)
    {
        if (Interface is not { } owner || packet.LinearLength < (isTap ? EthernetHeader.Length : 1))
        {
            packet.Release(); // nothing that could be told of
            return;
        }

        PacketQueue ready = default;
        SegmentCutter.Cut(packet, isTap ? EthernetHeader.Length : 0, owner.Stack.Pool, ref ready);
        ITunReader? reader;
        lock (_lock)
        {
            reader = _reader;
            while (reader is not null && _queue.Count < MaxQueued && ready.Dequeue() is { } next)
            {
                _queue.Enqueue(next);
            }
        }

        while (ready.Dequeue() is { } lost)
        {
            owner.Statistics.CountSendDropped();
            lost.Release();
        }

        reader?.OnReadable();
    }

    /// <inheritdoc/>
    public override void Close()
    {
        ITunReader? reader;
        lock (_lock)
        {
            _hasGone = true;
            reader = _reader;
            _queue.Clear();
        }

        reader?.OnReadable();
    }

    /// <summary>Whether the interface has been deleted.</summary>
    public bool HasGone
    {
        get
        {
            lock (_lock)
            {
                return _hasGone;
            }
        }
    }
}

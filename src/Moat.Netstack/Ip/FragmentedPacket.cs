using Moat.Netstack.Packets;
using Moat.Netstack.Timers;

namespace Moat.Netstack.Ip;

/// <summary>A packet of which some fragments are here. Guarded by the lock of its <see cref="Reassembly"/>.</summary>
internal sealed class FragmentedPacket(Reassembly owner, FragmentKey key) : NetTimer
{
    /// <summary>How long fragments wait for the others (ipfrag_time).</summary>
    public const long LifetimeNs = 30_000_000_000;

    private readonly List<(int Offset, Packet Packet)> _fragments = []; // by offset
    private int _received;
    private int _end = -1;

    /// <summary>What its fragments have in common.</summary>
    public FragmentKey Key => key;

    /// <summary>Its place in the list by age; null once it is gone.</summary>
    public LinkedListNode<FragmentedPacket>? Node { get; set; }

    /// <summary>The memory of its fragments.</summary>
    public int TrueSize { get; private set; }

    /// <summary>Whether nothing is missing.</summary>
    public bool IsComplete => _received == _end;

    /// <summary>Takes a fragment.</summary>
    /// <returns>False if it contradicts another: the packet is to be given up.</returns>
    public bool TryAdd(Packet fragment, int offset, bool more)
    {
        int length = fragment.Length;
        int index = 0;
        while (index < _fragments.Count && _fragments[index].Offset < offset)
        {
            index++;
        }

        if (index < _fragments.Count && _fragments[index].Offset == offset && _fragments[index].Packet.Length == length)
        {
            fragment.Release(); // the same once more
            return true;
        }

        _fragments.Insert(index, (offset, fragment));
        TrueSize += fragment.TrueSize;

        bool overlaps = (index > 0 && _fragments[index - 1].Offset + _fragments[index - 1].Packet.Length > offset)
            || (index + 1 < _fragments.Count && offset + length > _fragments[index + 1].Offset);
        bool contradicts = more ? _end >= 0 && offset + length > _end : _end >= 0 && _end != offset + length;
        if (!more)
        {
            _end = offset + length;
            contradicts |= index + 1 < _fragments.Count;
        }

        _received += length;
        return !overlaps && !contradicts;
    }

    /// <summary>The whole packet, in new memory.</summary>
    public Packet Join(PacketPool pool)
    {
        Packet whole = pool.Rent(_end);
        foreach ((_, Packet fragment) in _fragments)
        {
            _ = fragment.CopyTo(0, whole.Append(fragment.Length));
        }

        Packet first = _fragments[0].Packet;
        whole.InterfaceIndex = first.InterfaceIndex;
        whole.ArrivedNs = first.ArrivedNs;
        whole.NetworkHeader = whole.Start;
        whole.TransportHeader = whole.Start;
        return whole;
    }

    /// <summary>Takes the fragment at offset 0 out, if it is here.</summary>
    public Packet? TakeFirst()
    {
        if (_fragments.Count == 0 || _fragments[0].Offset != 0)
        {
            return null;
        }

        Packet first = _fragments[0].Packet;
        TrueSize -= first.TrueSize;
        _fragments.RemoveAt(0);
        return first;
    }

    /// <summary>Releases everything.</summary>
    public void Clear()
    {
        foreach ((_, Packet fragment) in _fragments)
        {
            fragment.Release();
        }

        _fragments.Clear();
        TrueSize = 0;
    }

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs) => owner.OnExpired(this);
}

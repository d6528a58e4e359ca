using Moat.Netstack.Packets;

namespace Moat.Netstack.Sockets;

/// <summary>What the sockets of all families hold together: buffers of packets and messages, and connections. One for all stacks of a machine (tcp_mem, udp_mem and memory.kmem have this part in Linux). Any thread.</summary>
/// <remarks>Memory is counted where it is taken, not limited there: whoever makes it grow asks <see cref="IsShort"/> first. A socket that holds next to nothing is not refused, so that all make progress.</remarks>
public sealed class SocketMemory
{
    /// <summary>The usual limit in bytes.</summary>
    public const long DefaultLimitBytes = 192L << 20;

    /// <summary>What a socket may hold however short memory is (tcp_wmem and tcp_rmem, their first number).</summary>
    public const int GuaranteedBytes = 4096;

    private readonly Lock _lock = new();
    private PacketPool[] _pools = []; // replaced under _lock
    private long _taken;

    /// <summary>From here on memory is short.</summary>
    public long LimitBytes { get; init; } = DefaultLimitBytes;

    /// <summary>What is held now.</summary>
    public long HeldBytes
    {
        get
        {
            long total = Volatile.Read(ref _taken);
            foreach (PacketPool pool in Volatile.Read(ref _pools))
            {
                total += pool.HeldBytes;
            }

            return total;
        }
    }

    /// <summary>Whether who holds more than <see cref="GuaranteedBytes"/> gets no more.</summary>
    public bool IsShort => HeldBytes >= LimitBytes;

    /// <summary>Counts memory that comes from no pool of packets.</summary>
    public void Take(long bytes) => Interlocked.Add(ref _taken, bytes);

    /// <summary>It is held no longer.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);

    /// <summary>Counts what is rented of a pool, however many stacks share it.</summary>
    internal void Add(PacketPool pool)
    {
        lock (_lock)
        {
            Volatile.Write(ref _pools, Array.IndexOf(_pools, pool) >= 0 ? _pools : [.. _pools, pool]);
        }
    }
}

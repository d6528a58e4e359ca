using Moat.Host.Sockets;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Packets;

namespace Moat.Sentry.Network;

/// <summary>The packet socket through which frames come in from all interfaces of the container's network namespace, and the thread that gives them to their links.</summary>
internal sealed class PacketPort
{
    private const int StackBytes = 512 << 10;
    private const int BatchFrames = 16;
    private const int HeadBytes = 2048 - Packet.HeaderRoom; // what a chunk for frames holds: nearly every frame of the usual MTU
    private const int Rests = 4; // chunks for what is left of a frame that the host put together: with the head more than the largest, 64 KiB and a header

    private readonly NetworkStack _stack;
    private readonly DebugLog _log;
    private readonly PacketReceiver _receiver;
    private readonly Packet?[] _heads = new Packet?[BatchFrames]; // the dispatcher's alone, as is what follows
    private readonly Chunk?[] _rests = new Chunk?[BatchFrames * Rests];
    private readonly ChunkPool[] _restPools; // small ones first, so that little memory is held for nothing
    private readonly Lock _lock = new();
    private (int Index, PacketLink Link)[] _links = []; // replaced under _lock

    /// <summary>A port that nothing is read from yet.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="stack">Who takes what comes.</param>
    /// <param name="log">The log.</param>
    public PacketPort(int fd, NetworkStack stack, DebugLog log)
    {
        Fd = fd;
        _stack = stack;
        _log = log;
        _receiver = new PacketReceiver(fd, BatchFrames, Rests + 1);
        _restPools = [stack.Pool.Medium, stack.Pool.Medium, stack.Pool.Data, stack.Pool.Data];
    }

    /// <summary>The socket.</summary>
    public int Fd { get; }

    /// <summary>Starts the dispatcher, which ends with the process.</summary>
    public void Start() => new Thread(Run, StackBytes) { IsBackground = true, Name = "network" }.Start();

    /// <summary>Frames of an interface go to a link from now on.</summary>
    public void Add(int hostIndex, PacketLink link)
    {
        lock (_lock)
        {
            Volatile.Write(ref _links, [.. _links, (hostIndex, link)]);
        }
    }

    /// <summary>An interface has gone.</summary>
    public void Remove(int hostIndex)
    {
        lock (_lock)
        {
            Volatile.Write(ref _links, Array.FindAll(_links, entry => entry.Index != hostIndex));
        }
    }

    private void Run()
    {
        for (int i = 0; i < BatchFrames; i++)
        {
            Prepare(i);
        }

        while (true)
        {
            if (!_receiver.Receive().TryGet(out int count, out Errno errno))
            {
                // An interface that goes down is told of once, to whoever receives next.
                if (errno is not (Errno.EINTR or Errno.ENETDOWN))
                {
                    _log.Error($"packet socket: {errno}: nothing is received any more");
                    return;
                }

                continue;
            }

            long nowNs = _stack.Host.NowNs;
            for (int i = 0; i < count; i++)
            {
                Take(i, nowNs);
                Prepare(i);
            }

            _stack.Flush();
        }
    }

    // Gives a frame of the batch a head and chunks for the rest, as far as it has used up what it had.
    private void Prepare(int frame)
    {
        if (_heads[frame] is not null)
        {
            return;
        }

        Packet head = _stack.Pool.Rent(HeadBytes);
        _ = head.Append(HeadBytes);
        _heads[frame] = head;
        _receiver.Clear(frame);
        ChunkSlice memory = head.LinearSlice;
        _receiver.Add(frame, memory.Chunk.Bytes, memory.Offset, memory.Length);
        for (int i = 0; i < Rests; i++)
        {
            Chunk rest = _rests[(frame * Rests) + i] ??= _restPools[i].Rent();
            _receiver.Add(frame, rest.Bytes, 0, rest.Bytes.Length);
        }
    }

    private void Take(int frame, long nowNs)
    {
        if (Find(_receiver.InterfaceIndex(frame)) is not { } link)
        {
            return; // of an interface that the sandbox does not have: its buffers are used again
        }

        Packet packet = _heads[frame]!;
        _heads[frame] = null;
        int left = _receiver.Length(frame);
        packet.Truncate(Math.Min(left, HeadBytes));
        left -= HeadBytes;
        for (int i = frame * Rests; left > 0; i++)
        {
            Chunk chunk = _rests[i]!;
            _rests[i] = null;
            int used = Math.Min(left, chunk.Bytes.Length);
            _ = packet.TryAddFragment(new ChunkSlice(chunk, 0, used));
            packet.Charge(chunk.Bytes.Length - used);
            chunk.Release(); // the packet has a reference of its own
            left -= used;
        }

        const byte Intact = VirtioHeader.NeedsChecksum | VirtioHeader.DataValid; // it has not left the machine, or a device has looked
        packet.Checksum = (_receiver.Header(frame).Flags & Intact) != 0 ? ChecksumState.Verified : ChecksumState.None;
        packet.ArrivedNs = nowNs;
        link.Deliver(packet);
    }

    private PacketLink? Find(int hostIndex)
    {
        foreach ((int index, PacketLink link) in Volatile.Read(ref _links))
        {
            if (index == hostIndex)
            {
                return link;
            }
        }

        return null;
    }
}

using System.Collections.Concurrent;
using Moat.Host;
using Moat.Linux;

namespace Moat.NineP.Tests;

/// <summary>One end of a connection inside the test: bytes in order, in pieces of a chosen size, copies of descriptors with the first piece of a message.</summary>
internal sealed class MemoryTransport : INinePTransport, IDisposable
{
    private readonly BlockingCollection<(byte[] Bytes, int[] Descriptors)> _incoming;
    private readonly BlockingCollection<(byte[] Bytes, int[] Descriptors)> _outgoing;
    private readonly int _pieceSize;
    private byte[] _rest = [];

    private MemoryTransport(BlockingCollection<(byte[] Bytes, int[] Descriptors)> incoming, BlockingCollection<(byte[] Bytes, int[] Descriptors)> outgoing, int pieceSize)
    {
        _incoming = incoming;
        _outgoing = outgoing;
        _pieceSize = pieceSize;
    }

    /// <summary>Two ends of one connection.</summary>
    /// <param name="pieceSize">How many bytes a receive gives at most.</param>
    public static (MemoryTransport First, MemoryTransport Second) CreatePair(int pieceSize = int.MaxValue)
    {
        BlockingCollection<(byte[] Bytes, int[] Descriptors)> there = [];
        BlockingCollection<(byte[] Bytes, int[] Descriptors)> back = [];
        return (new MemoryTransport(back, there, pieceSize), new MemoryTransport(there, back, pieceSize));
    }

    public Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        if (_outgoing.IsAddingCompleted)
        {
            return Errno.EPIPE;
        }

        const int DupCloexec = 1030; // F_DUPFD_CLOEXEC
        int[] copies = new int[descriptors.Length];
        for (int i = 0; i < copies.Length; i++)
        {
            copies[i] = (int)HostCall.Invoke(SyscallNumber.fcntl, descriptors[i], DupCloexec, 0).Raw;
        }

        _outgoing.Add((message.ToArray(), copies));
        return Errno.None;
    }

    public Result<int> Receive(Span<byte> destination, List<int> descriptors)
    {
        if (_rest.Length == 0)
        {
            if (!_incoming.TryTake(out (byte[] Bytes, int[] Descriptors) next, Timeout.Infinite))
            {
                return 0;
            }

            _rest = next.Bytes;
            descriptors.AddRange(next.Descriptors);
        }

        int count = Math.Min(Math.Min(destination.Length, _rest.Length), _pieceSize);
        _rest.AsSpan(0, count).CopyTo(destination);
        _rest = _rest[count..];
        return count;
    }

    /// <summary>Hangs up.</summary>
    public void Dispose()
    {
        _outgoing.CompleteAdding();
    }
}

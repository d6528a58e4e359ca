using System.Collections.Concurrent;
using Moat.Linux;

namespace Moat.NineP.Tests;

/// <summary>One end of a connection inside the test: bytes in order, in pieces of a chosen size, no descriptors.</summary>
internal sealed class MemoryTransport : INinePTransport, IDisposable
{
    private readonly BlockingCollection<byte[]> _incoming;
    private readonly BlockingCollection<byte[]> _outgoing;
    private readonly int _pieceSize;
    private byte[] _rest = [];

    private MemoryTransport(BlockingCollection<byte[]> incoming, BlockingCollection<byte[]> outgoing, int pieceSize)
    {
        _incoming = incoming;
        _outgoing = outgoing;
        _pieceSize = pieceSize;
    }

    /// <summary>Two ends of one connection.</summary>
    /// <param name="pieceSize">How many bytes a receive gives at most.</param>
    public static (MemoryTransport First, MemoryTransport Second) CreatePair(int pieceSize = int.MaxValue)
    {
        BlockingCollection<byte[]> there = [];
        BlockingCollection<byte[]> back = [];
        return (new MemoryTransport(back, there, pieceSize), new MemoryTransport(there, back, pieceSize));
    }

    public Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        if (_outgoing.IsAddingCompleted)
        {
            return Errno.EPIPE;
        }

        _outgoing.Add(message.ToArray());
        return Errno.None;
    }

    public Result<int> Receive(Span<byte> destination, List<int> descriptors)
    {
        if (_rest.Length == 0)
        {
            if (!_incoming.TryTake(out byte[]? next, Timeout.Infinite))
            {
                return 0;
            }

            _rest = next;
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

using Moat.Netstack.Packets;

namespace Moat.Netstack.Link;

/// <summary>What waits in a <see cref="LinkBacklog"/> for one interface. Guarded by the backlog's lock, but for <see cref="Sink"/>.</summary>
internal sealed class BacklogQueue
{
    private ILinkSink _sink = null!;

    /// <summary>Who takes it: changes when the interface moves to another stack.</summary>
    public ILinkSink Sink
    {
        get => Volatile.Read(ref _sink);
        set => Volatile.Write(ref _sink, value);
    }

    /// <summary>Whether it is in the list of those with packets, whose place it keeps.</summary>
    public bool IsReady { get; set; }

    /// <summary>The next in that list.</summary>
    public BacklogQueue? Next { get; set; }

#pragma warning disable CA1051 // a mutable struct, used in place
    public PacketQueue Packets;
#pragma warning restore CA1051
}

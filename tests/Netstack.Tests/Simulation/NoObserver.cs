using Moat.Netstack.Sockets;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>Remembers what it was told.</summary>
internal sealed class NoObserver : ISocketObserver
{
    /// <summary>Every event so far.</summary>
    public NetEvents Seen { get; private set; }

    /// <inheritdoc/>
    public void OnEvents(NetEvents events) => Seen |= events;
}

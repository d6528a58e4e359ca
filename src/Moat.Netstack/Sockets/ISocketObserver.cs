namespace Moat.Netstack.Sockets;

/// <summary>Told when a socket becomes ready. May be called under the socket's lock: it may wake threads and must not call back.</summary>
public interface ISocketObserver
{
    /// <summary>These have become true.</summary>
    void OnEvents(NetEvents events);
}

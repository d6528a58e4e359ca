using Moat.Netstack.Interfaces;

namespace Moat.Netstack;

/// <summary>Is told of what happens to a stack by other hands than its own. Any thread; the stack's locks are free.</summary>
public interface IStackObserver
{
    /// <summary>An interface is new.</summary>
    void OnNewLink(NetworkInterface link);

    /// <summary>An interface has changed.</summary>
    void OnLink(NetworkInterface link);

    /// <summary>An interface has gone.</summary>
    void OnLinkGone(NetworkInterface link);

    /// <summary>An interface has an address more, or less.</summary>
    void OnAddress(NetworkInterface owner, InterfaceAddress address, bool isGone);
}

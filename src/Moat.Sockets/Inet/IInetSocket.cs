using Moat.Netstack;
using Moat.Netstack.Multicast;
using Moat.Netstack.Sockets;

namespace Moat.Sockets.Inet;

/// <summary>What the options of IP need to know of a socket, whatever its protocol is.</summary>
internal interface IInetSocket
{
    /// <summary>Whether it is of AF_INET6.</summary>
    bool IsV6 { get; }

    /// <summary>SO_TYPE.</summary>
    SocketType Type { get; }

    /// <summary>SO_PROTOCOL.</summary>
    int Protocol { get; }

    /// <summary>The stack it is in.</summary>
    NetworkStack Stack { get; }

    /// <summary>Its options.</summary>
    IpSocketOptions Ip { get; }

    /// <summary>The groups it has joined; null if it is a stream.</summary>
    GroupMemberships? Groups { get; }

    /// <summary>Its error queue; null if it is a stream.</summary>
    SocketErrors? Errors { get; }

    /// <summary>The MTU of the way to its peer; 0 without one.</summary>
    int PathMtu { get; }
}

namespace Moat.Netstack;

/// <summary>Why an operation of the stack did not succeed. Whoever embeds the stack maps these to its own error numbers.</summary>
public enum NetError
{
    /// <summary>It did.</summary>
    None,

    /// <summary>Nothing can be done now: wait for the observer and try again.</summary>
    WouldBlock,

    /// <summary>The argument makes no sense here.</summary>
    Invalid,

    /// <summary>The address or port is taken.</summary>
    AddressInUse,

    /// <summary>No interface has this address.</summary>
    AddressNotAvailable,

    /// <summary>The socket is of another address family.</summary>
    WrongFamily,

    /// <summary>No route leads there.</summary>
    NetworkUnreachable,

    /// <summary>The next hop does not answer, or a router said so.</summary>
    HostUnreachable,

    /// <summary>The peer answered with a reset, or nobody listens at its port.</summary>
    ConnectionRefused,

    /// <summary>The peer reset the connection.</summary>
    ConnectionReset,

    /// <summary>The connection was given up on this side.</summary>
    ConnectionAborted,

    /// <summary>The peer does not answer.</summary>
    TimedOut,

    /// <summary>The socket has a peer already.</summary>
    AlreadyConnected,

    /// <summary>A connection is being made already.</summary>
    AlreadyInProgress,

    /// <summary>The connection is being made: the observer tells when it stands.</summary>
    InProgress,

    /// <summary>The socket has no peer.</summary>
    NotConnected,

    /// <summary>No destination was given and the socket has none.</summary>
    DestinationRequired,

    /// <summary>Sending has been shut down, by this side or the other.</summary>
    BrokenPipe,

    /// <summary>The datagram is larger than can be sent.</summary>
    MessageTooLong,

    /// <summary>A limit on memory has been reached.</summary>
    NoBufferSpace,

    /// <summary>The operation is not one of this socket's.</summary>
    NotSupported,

    /// <summary>The caller's memory could not be read or written.</summary>
    Fault,

    /// <summary>A filter refused it, or broadcasting was not asked for.</summary>
    PermissionDenied,

    /// <summary>A rule dropped it on its way out.</summary>
    NotPermitted,

    /// <summary>There is no such interface, route, neighbour or option.</summary>
    NotFound,

    /// <summary>It is there already.</summary>
    Exists,

    /// <summary>The interface is down.</summary>
    NetworkDown,

    /// <summary>The other end does not know the protocol.</summary>
    ProtocolNotAvailable,

    /// <summary>A header made no sense to a router or the other end.</summary>
    ProtocolError,

    /// <summary>A router says that it does not know the host.</summary>
    HostDown,

    /// <summary>A router says that the host is isolated.</summary>
    NotOnNetwork,
}

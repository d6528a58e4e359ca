using Moat.Linux;
using Moat.Netstack;

namespace Moat.Sockets.Inet;

/// <summary>The error numbers of what the stack answers.</summary>
internal static class InetErrors
{
    /// <summary>The error number.</summary>
    public static Errno ToErrno(this NetError error) => error switch
    {
        NetError.None => Errno.None,
        NetError.WouldBlock => Errno.EAGAIN,
        NetError.Invalid => Errno.EINVAL,
        NetError.AddressInUse => Errno.EADDRINUSE,
        NetError.AddressNotAvailable => Errno.EADDRNOTAVAIL,
        NetError.WrongFamily => Errno.EAFNOSUPPORT,
        NetError.NetworkUnreachable => Errno.ENETUNREACH,
        NetError.HostUnreachable => Errno.EHOSTUNREACH,
        NetError.ConnectionRefused => Errno.ECONNREFUSED,
        NetError.ConnectionReset => Errno.ECONNRESET,
        NetError.ConnectionAborted => Errno.ECONNABORTED,
        NetError.TimedOut => Errno.ETIMEDOUT,
        NetError.AlreadyConnected => Errno.EISCONN,
        NetError.AlreadyInProgress => Errno.EALREADY,
        NetError.InProgress => Errno.EINPROGRESS,
        NetError.NotConnected => Errno.ENOTCONN,
        NetError.DestinationRequired => Errno.EDESTADDRREQ,
        NetError.BrokenPipe => Errno.EPIPE,
        NetError.MessageTooLong => Errno.EMSGSIZE,
        NetError.NoBufferSpace => Errno.ENOBUFS,
        NetError.NotSupported => Errno.EOPNOTSUPP,
        NetError.Fault => Errno.EFAULT,
        NetError.PermissionDenied => Errno.EACCES,
        NetError.NotPermitted => Errno.EPERM,
        NetError.NotFound => Errno.ENODEV,
        NetError.Exists => Errno.EEXIST,
        NetError.NetworkDown => Errno.ENETDOWN,
        NetError.ProtocolNotAvailable => Errno.ENOPROTOOPT,
        NetError.ProtocolError => Errno.EPROTO,
        NetError.HostDown => Errno.EHOSTDOWN,
        NetError.NotOnNetwork => Errno.ENONET,
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, null),
    };
}

using Moat.Linux;

namespace Moat.Host;

/// <summary>What the base library's file functions throw, in the words of strerror(3): its own messages are left out of the executable, which has only their keys.</summary>
public static class HostFault
{
    private const int LastErrno = 134;

    /// <summary>Why the host refused. The exception's path is not part of it: the caller says which file it wanted.</summary>
    /// <param name="fault">An IOException or UnauthorizedAccessException.</param>
    public static string Describe(Exception fault) => ErrorText.Describe(ErrnoOf(fault));

    // The base library keeps the error number as the result code, but for the errors that have a class of their own; what lies behind a refused access is the inner exception.
    private static Errno ErrnoOf(Exception fault) => fault switch
    {
        FileNotFoundException or DirectoryNotFoundException => Errno.ENOENT,
        PathTooLongException => Errno.ENAMETOOLONG,
        UnauthorizedAccessException { InnerException: IOException inner } => ErrnoOf(inner),
        UnauthorizedAccessException => Errno.EACCES,
        IOException when fault.HResult is > 0 and < LastErrno => (Errno)fault.HResult,
        _ => Errno.EIO,
    };
}

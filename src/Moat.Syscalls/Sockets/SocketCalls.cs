using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Sockets;

/// <summary>socket(2) and the calls on sockets. No address family is there yet: making one gives EAFNOSUPPORT, as in a kernel built without it, so that no descriptor is a socket.</summary>
internal static class SocketCalls
{
    private static readonly SyscallNumber[] s_onDescriptors =
    [
        SyscallNumber.bind, SyscallNumber.listen, SyscallNumber.accept, SyscallNumber.accept4, SyscallNumber.connect, SyscallNumber.getsockname, SyscallNumber.getpeername,
        SyscallNumber.sendto, SyscallNumber.recvfrom, SyscallNumber.sendmsg, SyscallNumber.recvmsg, SyscallNumber.sendmmsg, SyscallNumber.recvmmsg, SyscallNumber.shutdown,
        SyscallNumber.setsockopt, SyscallNumber.getsockopt,
    ];

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.socket, Create, Arg.Int, Arg.Hex, Arg.Int);
        table.Add(SyscallNumber.socketpair, Create, Arg.Int, Arg.Hex, Arg.Int, Arg.Pointer);
        foreach (SyscallNumber number in s_onDescriptors)
        {
            table.Add(number, OnDescriptor, Arg.Fd, Arg.Hex, Arg.Hex);
        }
    }

    private static SyscallResult Create(GuestTask task, in SyscallArguments arguments)
    {
        const int TypeMask = 0xf;
        const int KnownFlags = TypeMask | (int)OpenFlags.O_CLOEXEC | (int)OpenFlags.O_NONBLOCK;
        return (arguments.Int(1) & ~KnownFlags) != 0 ? Errno.EINVAL : Errno.EAFNOSUPPORT;
    }

    private static SyscallResult OnDescriptor(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF : Errno.ENOTSOCK;
        file.Release();
        return errno;
    }
}

using System.Runtime.InteropServices;
using Moat.Kernel.Bpf;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets;
using Moat.Sockets.Filters;

namespace Moat.Syscalls.Sockets;

/// <summary>SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_LOCK_FILTER and SO_GET_FILTER (socket(7)): classic BPF programs that choose what a socket gets.</summary>
internal static class SocketFilterOptions
{
    /// <summary>SO_ATTACH_FILTER; SO_GET_FILTER has the same number.</summary>
    public const int Attach = 26;

    /// <summary>SO_DETACH_FILTER.</summary>
    public const int Detach = 27;

    /// <summary>SO_LOCK_FILTER.</summary>
    public const int Lock = 44;

    /// <summary>setsockopt(2).</summary>
    /// <param name="task">The caller.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="option">One of the three.</param>
    /// <param name="value">The first word of the value.</param>
    /// <param name="address">Where the value is.</param>
    /// <param name="length">How long it is.</param>
    /// <returns>ENOPROTOOPT if the socket has no use for a filter; EPERM if it is locked; EINVAL, EFAULT, ENOENT.</returns>
    public static Errno Set(GuestTask task, Socket socket, int option, int value, GuestAddress address, int length)
    {
        SocketOptions options = socket.Options;
        if (!socket.TakesFilters)
        {
            return Errno.ENOPROTOOPT;
        }

        switch (option)
        {
            case Lock:
                if (options.LocksFilter && value == 0)
                {
                    return Errno.EPERM;
                }

                options.LocksFilter = value != 0;
                return Errno.None;
            case Detach:
                if (options.LocksFilter)
                {
                    return Errno.EPERM;
                }

                bool had = options.Filter is not null;
                options.Filter = null;
                return had ? Errno.None : Errno.ENOENT;
            default:
                return AttachFilter(task, options, address, length);
        }
    }

    /// <summary>SO_GET_FILTER: the program that is attached.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="address">Where instructions go to.</param>
    /// <param name="lengthAddress">Where their number goes to.</param>
    /// <param name="room">For how many instructions there is room; with 0 only the number is told.</param>
    public static Errno Get(GuestTask task, Socket socket, GuestAddress address, GuestAddress lengthAddress, int room)
    {
        if (!socket.TakesFilters)
        {
            return Errno.ENOPROTOOPT;
        }

        SocketFilter? filter = socket.Options.Filter; // another thread may take it off
        int count = filter?.Program.Count ?? 0;
        if (filter is not null && room > 0)
        {
            if (room < count)
            {
                return Errno.EINVAL;
            }

            Errno errno = task.Memory.CopyOut(address, MemoryMarshal.AsBytes(filter.Program.Instructions));
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return task.Memory.Write(lengthAddress, count);
    }

    private static Errno AttachFilter(GuestTask task, SocketOptions options, GuestAddress address, int length)
    {
        if (length != Marshal.SizeOf<FilterProgram>())
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(address, out FilterProgram program);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (options.LocksFilter)
        {
            return Errno.EPERM;
        }

        if (program.Length is 0 or > BpfProgram.MaxLength || program.Instructions.IsNull)
        {
            return Errno.EINVAL;
        }

        BpfInstruction[] instructions = new BpfInstruction[program.Length];
        errno = task.Memory.CopyIn(program.Instructions, MemoryMarshal.AsBytes(instructions.AsSpan()));
        if (errno != Errno.None)
        {
            return errno;
        }

        if (BpfProgram.CheckPackets(instructions) is not { } good)
        {
            return Errno.EINVAL;
        }

        options.Filter = new SocketFilter(good);
        return Errno.None;
    }
}

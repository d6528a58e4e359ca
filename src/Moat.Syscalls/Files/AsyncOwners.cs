using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>Signal-driven I/O: fcntl(2)'s F_SETOWN, F_SETSIG and their like, and ioctl(2)'s FIOASYNC.</summary>
internal static class AsyncOwners
{
    private const int SetOwner = 8;
    private const int GetOwner = 9;
    private const int SetSignal = 10;
    private const int GetSignal = 11;
    private const int SetOwnerEx = 15;
    private const int GetOwnerEx = 16;

    /// <summary>Whether a command of fcntl(2) belongs here.</summary>
    public static bool IsCommand(int command) => command is SetOwner or GetOwner or SetSignal or GetSignal or SetOwnerEx or GetOwnerEx;

    /// <summary>Runs one.</summary>
    public static SyscallResult Run(GuestTask task, FileDescription file, int command, in SyscallArguments arguments)
    {
        switch (command)
        {
            case SetOwner:
                int id = arguments.Int(2);
                return id == int.MinValue ? Errno.EINVAL
                    : file.EnsureAsync(task.Kernel).SetOwner(task, id < 0 ? AsyncOwnerKind.F_OWNER_PGRP : AsyncOwnerKind.F_OWNER_PID, Math.Abs(id));
            case GetOwner:
                (AsyncOwnerKind kind, int owner) = file.Async?.GetOwner(task) ?? default;
                return kind == AsyncOwnerKind.F_OWNER_PGRP ? -owner : owner;
            case SetSignal:
                if (arguments[2] > 64)
                {
                    return Errno.EINVAL;
                }

                file.EnsureAsync(task.Kernel).SignalNumber = arguments.Int(2);
                return SyscallResult.Ok;
            case GetSignal:
                return file.Async?.SignalNumber ?? 0;
            case SetOwnerEx:
                Span<byte> given = stackalloc byte[8];
                Errno errno = task.Memory.CopyIn(arguments.Address(2), given);
                int type = BinaryPrimitives.ReadInt32LittleEndian(given);
                return errno != Errno.None ? errno
                    : type is < 0 or > 2 ? Errno.EINVAL
                    : file.EnsureAsync(task.Kernel).SetOwner(task, (AsyncOwnerKind)type, BinaryPrimitives.ReadInt32LittleEndian(given[4..]));
            default:
                (kind, owner) = file.Async?.GetOwner(task) ?? default;
                Span<byte> shown = stackalloc byte[8];
                BinaryPrimitives.WriteInt32LittleEndian(shown, (int)kind);
                BinaryPrimitives.WriteInt32LittleEndian(shown[4..], owner);
                return task.Memory.CopyOut(arguments.Address(2), shown);
        }
    }

    /// <summary>Starts or ends the signals of a file that has them; the caller sets its O_ASYNC.</summary>
    public static void Switch(GuestTask task, FileDescription file, int fd, bool on)
    {
        if (file.SignalsReadiness && on != ((file.StatusFlags & OpenFlags.FASYNC) != 0))
        {
            file.EnsureAsync(task.Kernel).Set(on, fd);
        }
    }

    /// <summary>FIOASYNC.</summary>
    /// <returns>ENOTTY when it would change a file that sends no signals.</returns>
    public static SyscallResult SwitchByRequest(GuestTask task, FileDescription file, int fd, GuestAddress address)
    {
        Errno errno = task.Memory.Read(address, out int value);
        bool on = value != 0;
        if (errno != Errno.None || on == ((file.StatusFlags & OpenFlags.FASYNC) != 0))
        {
            return errno;
        }

        if (!file.SignalsReadiness)
        {
            return Errno.ENOTTY;
        }

        Switch(task, file, fd, on);
        file.StatusFlags = on ? file.StatusFlags | OpenFlags.FASYNC : file.StatusFlags & ~OpenFlags.FASYNC;
        return SyscallResult.Ok;
    }
}

using System.Runtime.InteropServices;
using Moat.Linux;
using Moat.Linux.Terminals;

namespace Moat.Host.Terminals;

/// <summary>Requests to a terminal of the host (ioctl_tty(2)).</summary>
public static class HostTerminalSettings
{
    /// <summary>TCGETS2.</summary>
    public static Result<Termios> Get(int fd)
    {
        Span<byte> bytes = stackalloc byte[Termios.Size];
        Errno errno = HostFile.Ioctl(fd, (uint)TerminalRequest.TCGETS2, bytes).Errno;
        return errno != Errno.None ? errno : Termios.Read(bytes);
    }

    /// <summary>TCSETS2, or TCSETSF2, which drops what was typed.</summary>
    public static Errno Set(int fd, in Termios termios, bool flushesInput)
    {
        Span<byte> bytes = stackalloc byte[Termios.Size];
        termios.Write(bytes);
        return HostFile.Ioctl(fd, (uint)(flushesInput ? TerminalRequest.TCSETSF2 : TerminalRequest.TCSETS2), bytes).Errno;
    }

    /// <summary>TIOCGWINSZ.</summary>
    public static Result<WindowSize> GetSize(int fd)
    {
        WindowSize size = default;
        Errno errno = HostFile.Ioctl(fd, (uint)TerminalRequest.TIOCGWINSZ, MemoryMarshal.AsBytes(new Span<WindowSize>(ref size))).Errno;
        return errno != Errno.None ? errno : size;
    }

    /// <summary>TIOCSWINSZ.</summary>
    public static Errno SetSize(int fd, WindowSize size) =>
        HostFile.Ioctl(fd, (uint)TerminalRequest.TIOCSWINSZ, MemoryMarshal.AsBytes(new Span<WindowSize>(ref size))).Errno;

    /// <summary>FIONREAD or TIOCOUTQ; 0 when it does not say.</summary>
    public static int Count(int fd, TerminalRequest request)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        return HostFile.Ioctl(fd, (uint)request, bytes).IsError ? 0 : MemoryMarshal.Read<int>(bytes);
    }

    /// <summary>TCFLSH, TCXONC: a request with a number.</summary>
    public static Errno Request(int fd, TerminalRequest request, int argument) => HostCall.Invoke(SyscallNumber.ioctl, fd, (nint)(uint)request, argument).Errno;

    /// <summary>Opens a terminal again that is open at a descriptor, as a description of its own that does not block: the blocking mode of the other one is everybody's.</summary>
    /// <returns>EACCES and the like when it may not be opened again.</returns>
    public static Result<int> OpenAgain(int fd)
    {
        if (!HostFile.GetStatusFlags(fd).TryGet(out OpenFlags flags, out Errno errno))
        {
            return errno;
        }

        OpenFlags wanted = (flags & OpenFlags.O_ACCMODE) | OpenFlags.O_NOCTTY | OpenFlags.O_NONBLOCK;
        return HostFile.OpenAt(HostFile.CurrentDirectory, System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{fd}"), wanted);
    }
}

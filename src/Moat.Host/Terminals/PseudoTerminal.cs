using System.Buffers.Binary;
using System.Globalization;
using Moat.Linux;

namespace Moat.Host.Terminals;

/// <summary>A new pseudo-terminal of the host (pts(4), ioctl_tty(2)). The caller owns both descriptors.</summary>
/// <param name="Master">The side of whoever shows it.</param>
/// <param name="Slave">The side of the programs.</param>
/// <param name="Name">The slave's path.</param>
public readonly record struct PseudoTerminal(int Master, int Slave, string Name)
{
    private const uint SetLock = 0x40045431; // TIOCSPTLCK
    private const uint GetNumber = 0x80045430; // TIOCGPTN
    private const int GetPeer = 0x5441; // TIOCGPTPEER
    private const uint SetSize = 0x5414; // TIOCSWINSZ
    private const uint GetSize = 0x5413; // TIOCGWINSZ
    private const uint GetAttributes = 0x5401; // TCGETS

    /// <summary>Makes one.</summary>
    public static Result<PseudoTerminal> Open()
    {
        if (!HostFile.OpenAt(HostFile.CurrentDirectory, "/dev/ptmx"u8, OpenFlags.O_RDWR | OpenFlags.O_NOCTTY).TryGet(out int master, out Errno errno))
        {
            return errno;
        }

        Span<byte> number = stackalloc byte[4];
        number.Clear();
        SyscallResult result = HostFile.Ioctl(master, SetLock, number);
        if (!result.IsError)
        {
            result = HostFile.Ioctl(master, GetNumber, number);
        }

        if (!result.IsError)
        {
            result = HostCall.Invoke(SyscallNumber.ioctl, master, GetPeer, (int)(OpenFlags.O_RDWR | OpenFlags.O_NOCTTY | OpenFlags.O_CLOEXEC));
        }

        if (result.IsError)
        {
            HostMemory.Close(master);
            return result.Errno;
        }

        return new PseudoTerminal(master, (int)result.Raw, string.Create(CultureInfo.InvariantCulture, $"/dev/pts/{BinaryPrimitives.ReadInt32LittleEndian(number)}"));
    }

    /// <summary>Whether a descriptor is a terminal.</summary>
    public static bool IsTerminal(int fd)
    {
        Span<byte> attributes = stackalloc byte[64];
        return !HostFile.Ioctl(fd, GetAttributes, attributes).IsError;
    }

    /// <summary>Sets a terminal's size in characters.</summary>
    public static Errno Resize(int fd, int rows, int columns)
    {
        Span<byte> size = stackalloc byte[8];
        size.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(size, (ushort)rows);
        BinaryPrimitives.WriteUInt16LittleEndian(size[2..], (ushort)columns);
        return HostFile.Ioctl(fd, SetSize, size).Errno;
    }

    /// <summary>A terminal's rows and columns; 0, 0 if it is none.</summary>
    public static (int Rows, int Columns) Measure(int fd)
    {
        Span<byte> size = stackalloc byte[8];
        return HostFile.Ioctl(fd, GetSize, size).IsError ? (0, 0) : (BinaryPrimitives.ReadUInt16LittleEndian(size), BinaryPrimitives.ReadUInt16LittleEndian(size[2..]));
    }
}

namespace Moat.Filesystems.Tty;

/// <summary>What a master in packet mode is told (TIOCPKT in ioctl_tty(2)).</summary>
[Flags]
internal enum PacketStatus : byte
{
    None = 0,
    FlushRead = 1,
    FlushWrite = 2,
    Stop = 4,
    Start = 8,
    NoStop = 16,
    DoStop = 32,
    Ioctl = 64,
}

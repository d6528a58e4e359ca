using Moat.Kernel.Credentials;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>The numbers that tables of System V objects share.</summary>
public static class IpcTable
{
    /// <summary>Ids are a sequence number times this and an index below it.</summary>
    public const int MaxIndex = 32768;

    public const int Private = 0; // IPC_PRIVATE
    public const int Create = 0x200; // IPC_CREAT
    public const int Exclusive = 0x400; // IPC_EXCL
    public const int NoWait = 0x800; // IPC_NOWAIT
}

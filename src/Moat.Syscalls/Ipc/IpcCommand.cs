namespace Moat.Syscalls.Ipc;

/// <summary>Commands of shmctl(2), semctl(2) and msgctl(2).</summary>
internal static class IpcCommand
{
    public const int Remove = 0;
    public const int Set = 1;
    public const int Stat = 2;
    public const int Info = 3;

    public const int ShmLock = 11;
    public const int ShmUnlock = 12;
    public const int ShmStat = 13;
    public const int ShmInfo = 14;
    public const int ShmStatAny = 15;

    public const int SemGetPid = 11;
    public const int SemGetValue = 12;
    public const int SemGetAll = 13;
    public const int SemWaitersForMore = 14;
    public const int SemWaitersForZero = 15;
    public const int SemSetValue = 16;
    public const int SemSetAll = 17;
    public const int SemStat = 18;
    public const int SemInfo = 19;
    public const int SemStatAny = 20;

    public const int MsgStat = 11;
    public const int MsgInfo = 12;
    public const int MsgStatAny = 13;

    /// <summary>IPC_64, which old C libraries add.</summary>
    public const int Version64 = 0x100;
}

namespace Moat.Syscalls;

/// <summary>The system calls of x86-64, by number.</summary>
public sealed class SyscallTable
{
    /// <summary>Numbers below this have a place in the table.</summary>
    public const int Size = 512;

    private readonly SyscallEntry?[] _entries;

    internal SyscallTable(SyscallEntry?[] entries) => _entries = entries;

    /// <summary>The call with this number; null if there is none (ENOSYS).</summary>
    public SyscallEntry? Find(ulong number) => number < Size ? _entries[number] : null;

    /// <summary>The table of everything Moat implements.</summary>
    public static SyscallTable Create()
    {
        SyscallTableBuilder builder = new();
        return builder.Build();
    }
}

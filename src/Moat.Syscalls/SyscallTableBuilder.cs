using Moat.Linux;

namespace Moat.Syscalls;

/// <summary>Collects the calls of each family; every family class has a static <c>Register(SyscallTableBuilder)</c>.</summary>
public sealed class SyscallTableBuilder
{
    private readonly SyscallEntry?[] _entries = new SyscallEntry?[SyscallTable.Size];

    /// <summary>Adds a call: its number, its handler, and what its arguments are.</summary>
    public void Add(SyscallNumber number, SyscallHandler handler, params Arg[] arguments)
    {
        if (_entries[(int)number] is not null)
        {
            throw new InvalidOperationException($"{number} is registered twice");
        }

        _entries[(int)number] = new SyscallEntry(number, handler, arguments);
    }

    /// <summary>The finished table.</summary>
    public SyscallTable Build() => new(_entries);
}

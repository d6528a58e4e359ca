using Moat.Linux;

namespace Moat.Syscalls;

/// <summary>The six raw arguments of a call. Each accessor truncates as the kernel's own prototypes do.</summary>
public readonly struct SyscallArguments(in RegisterSet registers)
{
    private readonly ulong _a0 = registers.Rdi;
    private readonly ulong _a1 = registers.Rsi;
    private readonly ulong _a2 = registers.Rdx;
    private readonly ulong _a3 = registers.R10;
    private readonly ulong _a4 = registers.R8;
    private readonly ulong _a5 = registers.R9;

    /// <summary>Argument <paramref name="index"/> (0..5) as it is.</summary>
    public ulong this[int index] => index switch
    {
        0 => _a0,
        1 => _a1,
        2 => _a2,
        3 => _a3,
        4 => _a4,
        _ => _a5,
    };

    /// <summary>An <c>int</c>: the low 32 bits.</summary>
    public int Int(int index) => unchecked((int)this[index]);

    /// <summary>An <c>unsigned int</c>.</summary>
    public uint UInt(int index) => unchecked((uint)this[index]);

    /// <summary>A <c>long</c>.</summary>
    public long Long(int index) => unchecked((long)this[index]);

    /// <summary>A <c>size_t</c> or <c>unsigned long</c>.</summary>
    public ulong Size(int index) => this[index];

    /// <summary>A pointer.</summary>
    public GuestAddress Address(int index) => new(this[index]);
}

using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>What a tracer may put into the general registers of x86-64, word by word of <c>struct user_regs_struct</c>.</summary>
internal static class RegisterRules
{
    /// <summary>How many words there are.</summary>
    public const int Count = 27;

    private const int CodeSelector = 17;
    private const int Flags = 18;
    private const int StackSelector = 20;
    private const int FsBase = 21;
    private const int GsBase = 22;
    private const int DataSelectors = 23; // ds, es, fs, gs
    private const ulong UserCode = 0x33;
    private const ulong UserData = 0x2b;
    /// <summary>Bases stay below this.</summary>
    public const ulong TaskSize = 0x7fff_ffff_f000;
    private const ulong SettableFlags = 0x54dd5; // CF PF AF ZF SF TF DF OF NT RF AC

    /// <summary>Sets one.</summary>
    /// <returns>EIO for a selector or a base that a 64-bit application could not go on with.</returns>
    public static Errno Set(ref RegisterSet registers, int index, ulong value)
    {
        ref ulong word = ref MemoryMarshal.Cast<RegisterSet, ulong>(new Span<RegisterSet>(ref registers))[index];
        switch (index)
        {
            case CodeSelector when value != UserCode:
            case StackSelector when value != UserData:
            case FsBase or GsBase when value >= TaskSize:
            case >= DataSelectors when value is not (0 or UserData):
                return Errno.EIO;
            case Flags:
                word = (word & ~SettableFlags) | (value & SettableFlags);
                return Errno.None;
            default:
                word = value;
                return Errno.None;
        }
    }
}

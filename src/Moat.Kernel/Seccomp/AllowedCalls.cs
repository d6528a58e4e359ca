using Moat.Kernel.Bpf;
using Moat.Linux;

namespace Moat.Kernel.Seccomp;

/// <summary>The calls that a filter allows whatever their arguments: found out once, by running it with a number and nothing else known, so that they need not run it (as Linux's action cache does). Immutable.</summary>
public sealed class AllowedCalls
{
    private const int Numbers = 512;
    private const uint AuditArchX86x64 = 0xc000003e;

    private readonly ulong[] _bits = new ulong[Numbers / 64];

    private AllowedCalls()
    {
    }

    /// <summary>Those of a filter. Takes up to some milliseconds for the longest: not to be called under a lock.</summary>
    public static AllowedCalls Of(BpfProgram program)
    {
        AllowedCalls calls = new();
        for (uint number = 0; number < Numbers; number++)
        {
            calls._bits[number / 64] |= AllowsAlways(program.Instructions, number) ? 1UL << (int)(number % 64) : 0;
        }

        return calls;
    }

    /// <summary>Whether a call is among them.</summary>
    public bool Contains(ulong number) => number < Numbers && (_bits[number / 64] & (1UL << (int)(number % 64))) != 0;

    /// <summary>Whether calls are among them.</summary>
    public bool Contains(ReadOnlySpan<SyscallNumber> numbers)
    {
        foreach (SyscallNumber number in numbers)
        {
            if (!Contains((ulong)number))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Those that are among the other's too.</summary>
    public AllowedCalls And(AllowedCalls other)
    {
        AllowedCalls both = new();
        for (int i = 0; i < _bits.Length; i++)
        {
            both._bits[i] = _bits[i] & other._bits[i];
        }

        return both;
    }

    // Whatever looks at more than the number and the architecture, or computes what filters of calls seldom do, is no constant. The check has seen to it that jumps stay inside.
    private static bool AllowsAlways(ReadOnlySpan<BpfInstruction> program, uint number)
    {
        uint a = 0;
        for (int pc = 0; ; pc++)
        {
            BpfInstruction instruction = program[pc];
            uint k = instruction.Operand;
            switch (instruction.Code)
            {
                case 0x20 when k == 0: // ld seccomp_data.nr
                    a = number;
                    break;
                case 0x20 when k == 4: // ld seccomp_data.arch
                    a = AuditArchX86x64;
                    break;
                case 0x05: // ja
                    pc += (int)k;
                    break;
                case 0x15: // jeq #k
                    pc += a == k ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x25: // jgt #k
                    pc += a > k ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x35: // jge #k
                    pc += a >= k ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x45: // jset #k
                    pc += (a & k) != 0 ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x54: // and #k
                    a &= k;
                    break;
                case 0x06: // ret #k
                    return k == (uint)SeccompAction.Allow;
                default:
                    return false;
            }
        }
    }
}

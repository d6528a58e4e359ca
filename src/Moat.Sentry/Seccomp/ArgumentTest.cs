using Moat.Kernel.Bpf;

namespace Moat.Sentry.Seccomp;

/// <summary>A condition on an argument of a call, as libseccomp has it (<c>seccomp_rule_add(3)</c>): 64 bits without sign.</summary>
/// <param name="Index">Which argument.</param>
/// <param name="Comparison">How it is compared.</param>
/// <param name="Value">What with; the mask of <see cref="ArgumentComparison.MaskedEqual"/>.</param>
/// <param name="Expected">What the masked argument must be.</param>
internal readonly record struct ArgumentTest(int Index, ArgumentComparison Comparison, ulong Value, ulong Expected)
{
    private const ushort And = 0x54; // BPF_ALU | BPF_AND | BPF_K
    private const int ArgumentsOffset = 16; // of struct seccomp_data

    /// <summary>Puts its instructions before a piece of code, which is reached if it holds and skipped if it does not.</summary>
    public void Guard(List<BpfInstruction> code)
    {
        bool isMasked = Comparison == ArgumentComparison.MaskedEqual;
        ulong value = isMasked ? Expected : Value;
        uint low = (uint)(ArgumentsOffset + (Index * 8)); // little-endian: the low half comes first
        bool isBelow = Comparison is ArgumentComparison.Less or ArgumentComparison.LessOrEqual;
        byte toEnd = checked((byte)code.Count);

        // From the end to the beginning: how far it is to the end of the code is known then.
        code.Insert(0, Comparison switch
        {
            ArgumentComparison.Equal or ArgumentComparison.MaskedEqual => new BpfInstruction(SeccompCompiler.JumpEqual, 0, toEnd, (uint)value),
            ArgumentComparison.NotEqual => new BpfInstruction(SeccompCompiler.JumpEqual, toEnd, 0, (uint)value),
            ArgumentComparison.Greater => new BpfInstruction(SeccompCompiler.JumpGreater, 0, toEnd, (uint)value),
            ArgumentComparison.GreaterOrEqual => new BpfInstruction(SeccompCompiler.JumpGreaterOrEqual, 0, toEnd, (uint)value),
            ArgumentComparison.Less => new BpfInstruction(SeccompCompiler.JumpGreaterOrEqual, toEnd, 0, (uint)value),
            _ => new BpfInstruction(SeccompCompiler.JumpGreater, toEnd, 0, (uint)value),
        });
        if (isMasked)
        {
            code.Insert(0, new BpfInstruction(And, 0, 0, (uint)Value));
        }

        code.Insert(0, new BpfInstruction(SeccompCompiler.LoadWord, 0, 0, low));
        byte toCode = checked((byte)(code.Count - toEnd));
        byte failed = checked((byte)code.Count);

        // The high halves decide unless they are equal.
        bool differsToCode = Comparison == ArgumentComparison.NotEqual || isBelow;
        code.Insert(0, new BpfInstruction(SeccompCompiler.JumpEqual, 0, differsToCode ? toCode : failed, (uint)(value >> 32)));
        if (isMasked)
        {
            code.Insert(0, new BpfInstruction(And, 0, 0, (uint)(Value >> 32)));
        }
        else if (Comparison is ArgumentComparison.Greater or ArgumentComparison.GreaterOrEqual)
        {
            code.Insert(0, new BpfInstruction(SeccompCompiler.JumpGreater, (byte)(toCode + 1), 0, (uint)(value >> 32)));
        }
        else if (isBelow)
        {
            code.Insert(0, new BpfInstruction(SeccompCompiler.JumpGreater, (byte)(failed + 1), 0, (uint)(value >> 32)));
        }

        code.Insert(0, new BpfInstruction(SeccompCompiler.LoadWord, 0, 0, low + 4));
    }
}

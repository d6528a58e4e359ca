namespace Moat.Kernel.Bpf;

/// <summary>Checks classic BPF programs (<c>Documentation/networking/filter.rst</c>, seccomp(2)): known instructions, jumps forward and inside, scratch memory written before it is read, a return at the end.</summary>
internal static class BpfChecker
{
    private const int ScratchWords = BpfProgram.ScratchWords;

    /// <summary>Whether a program is one.</summary>
    /// <param name="instructions">The program.</param>
    /// <param name="overCalls">Whether it looks at calls, of which it may load aligned words only, or at packets.</param>
    public static bool IsSound(ReadOnlySpan<BpfInstruction> instructions, bool overCalls)
    {
        int count = instructions.Length;
        if (count is 0 or > BpfProgram.MaxLength)
        {
            return false;
        }

        // Which scratch words are certainly written when an instruction is reached.
        ushort[] written = new ushort[count];
        Array.Fill(written, ushort.MaxValue);
        ushort now = 0;
        for (int i = 0; i < count; i++)
        {
            now &= written[i];
            BpfInstruction instruction = instructions[i];
            uint k = instruction.Operand;
            switch (instruction.Code)
            {
                case 0x20 when overCalls: // ld [k]
                    if (k % 4 != 0 || k >= BpfProgram.CallSize)
                    {
                        return false;
                    }

                    break;
                case 0x20 or 0x28 or 0x30 when !overCalls: // ld, ldh, ldb [k]
                    if (k >= BpfProgram.Extensions && !Enum.IsDefined((BpfExtension)(k - BpfProgram.Extensions)))
                    {
                        return false;
                    }

                    break;
                case 0x40 or 0x48 or 0x50 or 0xb1 when !overCalls: // ld, ldh, ldb [x + k]; ldx 4 * ([k] & 15)
                    break;
                case 0x9c when !overCalls: // mod by x
                    break;
                case 0x00 or 0x01 or 0x80 or 0x81: // ld, ldx: #k, len
                case 0x04 or 0x0c or 0x14 or 0x1c or 0x24 or 0x2c or 0x3c: // add, sub, mul, div by x
                case 0x44 or 0x4c or 0x54 or 0x5c or 0x6c or 0x7c or 0x84: // or, and, shifts by x, neg
                case 0xa4 or 0xac: // xor
                case 0x07 or 0x87: // tax, txa
                    break;
                case 0x34: // div #k
                case 0x94 when !overCalls: // mod #k
                    if (k == 0)
                    {
                        return false;
                    }

                    break;
                case 0x64 or 0x74: // lsh, rsh #k
                    if (k >= 32)
                    {
                        return false;
                    }

                    break;
                case 0x02 or 0x03: // st, stx
                    if (k >= ScratchWords)
                    {
                        return false;
                    }

                    now |= (ushort)(1 << (int)k);
                    break;
                case 0x60 or 0x61: // ld, ldx M[k]
                    if (k >= ScratchWords || (now & (1 << (int)k)) == 0)
                    {
                        return false;
                    }

                    break;
                case 0x05: // ja
                    if (k >= (uint)(count - i - 1))
                    {
                        return false;
                    }

                    written[i + 1 + (int)k] &= now;
                    now = ushort.MaxValue;
                    break;
                case 0x15 or 0x1d or 0x25 or 0x2d or 0x35 or 0x3d or 0x45 or 0x4d: // jeq, jgt, jge, jset
                    if (i + 1 + Math.Max(instruction.IfTrue, instruction.IfFalse) >= count)
                    {
                        return false;
                    }

                    written[i + 1 + instruction.IfTrue] &= now;
                    written[i + 1 + instruction.IfFalse] &= now;
                    now = ushort.MaxValue;
                    break;
                case 0x06 or 0x16: // ret
                    now = ushort.MaxValue;
                    break;
                default:
                    return false;
            }
        }

        return instructions[^1].Code is 0x06 or 0x16;
    }
}

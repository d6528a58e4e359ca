using System.Buffers.Binary;

namespace Moat.Kernel.Seccomp;

/// <summary>A classic BPF program over <c>struct seccomp_data</c>, checked once, so that it ends and touches nothing outside (<c>Documentation/networking/filter.rst</c>, seccomp(2)).</summary>
public sealed class BpfProgram
{
    /// <summary>BPF_MAXINSNS.</summary>
    public const int MaxLength = 4096;

    /// <summary>sizeof(struct seccomp_data).</summary>
    public const int DataSize = 64;

    private const int ScratchWords = 16;
    private const ushort Immediate = 0x00;
    private const ushort Absolute = 0x20;
    private const ushort Length = 0x80;

    private readonly BpfInstruction[] _instructions;

    private BpfProgram(BpfInstruction[] instructions) => _instructions = instructions;

    /// <summary>How many instructions it has.</summary>
    public int Count => _instructions.Length;

    /// <summary>Checks a program: known instructions, jumps forward and inside, scratch memory written before it is read, loads inside the data, a return at the end.</summary>
    /// <returns>Null if it is not one (EINVAL).</returns>
    public static BpfProgram? Check(ReadOnlySpan<BpfInstruction> instructions)
    {
        int count = instructions.Length;
        if (count is 0 or > MaxLength)
        {
            return null;
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
                case 0x20: // ld [k]
                    if (k % 4 != 0 || k >= DataSize)
                    {
                        return null;
                    }

                    break;
                case 0x00 or 0x01 or 0x80 or 0x81: // ld, ldx: #k, len
                case 0x04 or 0x0c or 0x14 or 0x1c or 0x24 or 0x2c or 0x3c: // add, sub, mul, div by x
                case 0x44 or 0x4c or 0x54 or 0x5c or 0x6c or 0x7c or 0x84: // or, and, shifts by x, neg
                case 0xa4 or 0xac: // xor
                case 0x07 or 0x87: // tax, txa
                    break;
                case 0x34: // div #k
                    if (k == 0)
                    {
                        return null;
                    }

                    break;
                case 0x64 or 0x74: // lsh, rsh #k
                    if (k >= 32)
                    {
                        return null;
                    }

                    break;
                case 0x02 or 0x03: // st, stx
                    if (k >= ScratchWords)
                    {
                        return null;
                    }

                    now |= (ushort)(1 << (int)k);
                    break;
                case 0x60 or 0x61: // ld, ldx M[k]
                    if (k >= ScratchWords || (now & (1 << (int)k)) == 0)
                    {
                        return null;
                    }

                    break;
                case 0x05: // ja
                    if (k >= (uint)(count - i - 1))
                    {
                        return null;
                    }

                    written[i + 1 + (int)k] &= now;
                    now = ushort.MaxValue;
                    break;
                case 0x15 or 0x1d or 0x25 or 0x2d or 0x35 or 0x3d or 0x45 or 0x4d: // jeq, jgt, jge, jset
                    if (i + 1 + Math.Max(instruction.IfTrue, instruction.IfFalse) >= count)
                    {
                        return null;
                    }

                    written[i + 1 + instruction.IfTrue] &= now;
                    written[i + 1 + instruction.IfFalse] &= now;
                    now = ushort.MaxValue;
                    break;
                case 0x06 or 0x16: // ret
                    now = ushort.MaxValue;
                    break;
                default:
                    return null;
            }
        }

        return instructions[^1].Code is 0x06 or 0x16 ? new BpfProgram(instructions.ToArray()) : null;
    }

    /// <summary>Runs it over a call.</summary>
    /// <param name="data">A <c>struct seccomp_data</c>.</param>
    public uint Run(ReadOnlySpan<byte> data)
    {
        Span<uint> scratch = stackalloc uint[ScratchWords];
        uint a = 0;
        uint x = 0;
        BpfInstruction[] instructions = _instructions;
        for (int pc = 0; ; pc++)
        {
            ref readonly BpfInstruction instruction = ref instructions[pc];
            uint k = instruction.Operand;
            bool byX = (instruction.Code & 8) != 0;
            uint operand = byX ? x : k;
            switch (instruction.Code)
            {
                case Immediate:
                    a = k;
                    break;
                case Absolute:
                    a = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case Length:
                    a = DataSize;
                    break;
                case 0x60:
                    a = scratch[(int)k];
                    break;
                case 0x01:
                    x = k;
                    break;
                case 0x81:
                    x = DataSize;
                    break;
                case 0x61:
                    x = scratch[(int)k];
                    break;
                case 0x02:
                    scratch[(int)k] = a;
                    break;
                case 0x03:
                    scratch[(int)k] = x;
                    break;
                case 0x05:
                    pc += (int)k;
                    break;
                case 0x15 or 0x1d:
                    pc += a == operand ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x25 or 0x2d:
                    pc += a > operand ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x35 or 0x3d:
                    pc += a >= operand ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x45 or 0x4d:
                    pc += (a & operand) != 0 ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case 0x06:
                    return k;
                case 0x16:
                    return a;
                case 0x07:
                    x = a;
                    break;
                case 0x87:
                    a = x;
                    break;
                case 0x3c when x == 0:
                    return 0; // a division by zero ends the program with 0
                default:
                    a = Compute(instruction.Code, a, operand);
                    break;
            }
        }
    }

    private static uint Compute(ushort code, uint a, uint operand) => (code & 0xf0) switch
    {
        0x00 => a + operand,
        0x10 => a - operand,
        0x20 => a * operand,
        0x30 => a / operand,
        0x40 => a | operand,
        0x50 => a & operand,
        0x60 => operand < 32 ? a << (int)operand : 0,
        0x70 => operand < 32 ? a >> (int)operand : 0,
        0x80 => (uint)-(int)a,
        _ => a ^ operand,
    };
}

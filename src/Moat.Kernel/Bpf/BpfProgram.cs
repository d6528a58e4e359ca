namespace Moat.Kernel.Bpf;

/// <summary>A classic BPF program, checked once, so that it ends and touches nothing outside (<c>Documentation/networking/filter.rst</c>): a filter of calls (seccomp(2)) or of packets (SO_ATTACH_FILTER).</summary>
public sealed class BpfProgram
{
    /// <summary>BPF_MAXINSNS.</summary>
    public const int MaxLength = 4096;

    /// <summary>sizeof(struct seccomp_data).</summary>
    public const int CallSize = 64;

    /// <summary>SKF_LL_OFF: from here on an offset counts from the link-layer header, from SKF_NET_OFF on from the network header.</summary>
    public const uint NegativeOffsets = unchecked((uint)-0x200000);

    /// <summary>SKF_AD_OFF: from here on a load is one of <see cref="BpfExtension"/>.</summary>
    public const uint Extensions = unchecked((uint)-0x1000);

    /// <summary>BPF_MEMWORDS.</summary>
    internal const int ScratchWords = 16;

    private readonly BpfInstruction[] _instructions;

    private BpfProgram(BpfInstruction[] instructions) => _instructions = instructions;

    /// <summary>How many instructions it has.</summary>
    public int Count => _instructions.Length;

    /// <summary>The program.</summary>
    public ReadOnlySpan<BpfInstruction> Instructions => _instructions;

    /// <summary>Checks a filter of calls.</summary>
    /// <returns>Null if it is not one (EINVAL).</returns>
    public static BpfProgram? CheckCalls(ReadOnlySpan<BpfInstruction> instructions) => BpfChecker.IsSound(instructions, overCalls: true) ? new BpfProgram(instructions.ToArray()) : null;

    /// <summary>Checks a filter of packets.</summary>
    /// <returns>Null if it is not one (EINVAL).</returns>
    public static BpfProgram? CheckPackets(ReadOnlySpan<BpfInstruction> instructions) => BpfChecker.IsSound(instructions, overCalls: false) ? new BpfProgram(instructions.ToArray()) : null;

    /// <summary>Runs it.</summary>
    /// <param name="data">What it looks at: of the kind that it was checked for.</param>
    public uint Run<TData>(in TData data)
        where TData : struct, IBpfData, allows ref struct
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
                case 0x00:
                    a = k;
                    break;
                case 0x20 or 0x28 or 0x30:
                    if (!TryLoad(data, instruction, a, x, out a))
                    {
                        return 0;
                    }

                    break;
                case 0x40 or 0x48 or 0x50:
                    if (!data.TryLoad(unchecked(x + k), SizeOf(instruction.Code), out a))
                    {
                        return 0;
                    }

                    break;
                case 0xb1:
                    if (!data.TryLoad(k, 1, out uint value))
                    {
                        return 0;
                    }

                    x = (value & 15) << 2;
                    break;
                case 0x80:
                    a = data.Length;
                    break;
                case 0x60:
                    a = scratch[(int)k];
                    break;
                case 0x01:
                    x = k;
                    break;
                case 0x81:
                    x = data.Length;
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
                case 0x3c or 0x9c when x == 0:
                    return 0; // a division by zero ends the program with 0
                default:
                    a = Compute(instruction.Code, a, operand);
                    break;
            }
        }
    }

    private static bool TryLoad<TData>(in TData data, in BpfInstruction instruction, uint a, uint x, out uint value)
        where TData : struct, IBpfData, allows ref struct
    {
        uint k = instruction.Operand;
        if (k < Extensions)
        {
            return data.TryLoad(k, SizeOf(instruction.Code), out value);
        }

        value = a ^ x;
        BpfExtension extension = (BpfExtension)(k - Extensions);
        return extension == BpfExtension.XorX || data.TryLoad(extension, a, x, out value);
    }

    // BPF_W, BPF_H, BPF_B.
    private static int SizeOf(ushort code) => (code & 0x18) switch
    {
        0x00 => 4,
        0x08 => 2,
        _ => 1,
    };

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
        0x90 => a % operand,
        _ => a ^ operand,
    };
}

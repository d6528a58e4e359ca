using CsCheck;
using Moat.Kernel.Bpf;
using Moat.Kernel.Seccomp;

namespace Moat.Kernel.Tests.Bpf;

public sealed class BpfProgramTests
{
    private const ushort ReturnConstant = 0x06;

    private static readonly ushort[] s_codes =
    [
        0x20, 0x00, 0x01, 0x80, 0x81, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0xa4, 0xac, 0x07, 0x87, 0x02, 0x03, 0x60, 0x61,
        0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16,
    ];

    /// <summary>Whatever passes the check ends, and touches nothing outside: hostile programs of known instructions with small and large operands.</summary>
    [Fact]
    public void CheckedPrograms_Run()
    {
        Gen<BpfInstruction> instruction = Gen.Select(
            Gen.Int[0, s_codes.Length - 1],
            Gen.Byte[0, 6],
            Gen.Byte[0, 6],
            Gen.Frequency((4, Gen.UInt[0, 20]), (1, Gen.UInt)),
            static (code, yes, no, k) => new BpfInstruction(s_codes[code], yes, no, k));
        int accepted = 0;
        Gen.Select(instruction.Array[0, 12], Gen.Byte.Array[BpfProgram.CallSize]).Sample(
            (body, data) =>
            {
                BpfInstruction[] program = [.. body, new BpfInstruction(ReturnConstant, 0, 0, 7)];
                if (BpfProgram.CheckCalls(program) is { } good)
                {
                    good.Run(new SeccompData(data));
                    Interlocked.Increment(ref accepted);
                }
            },
            iter: 20_000);
        Assert.True(accepted > 100, $"only {accepted} programs were accepted");
    }

    /// <summary>The same for filters of packets, which load from anywhere.</summary>
    [Fact]
    public void CheckedFiltersOfPackets_Run()
    {
        ushort[] codes = [.. s_codes, 0x28, 0x30, 0x40, 0x48, 0x50, 0xb1, 0x94, 0x9c];
        Gen<BpfInstruction> instruction = Gen.Select(
            Gen.Int[0, codes.Length - 1],
            Gen.Byte[0, 6],
            Gen.Byte[0, 6],
            Gen.Frequency((4, Gen.UInt[0, 80]), (1, Gen.UInt), (1, Gen.UInt[BpfProgram.NegativeOffsets, uint.MaxValue])),
            (code, yes, no, k) => new BpfInstruction(codes[code], yes, no, k));
        int accepted = 0;
        instruction.Array[0, 12].Sample(
            body =>
            {
                BpfInstruction[] program = [.. body, new BpfInstruction(ReturnConstant, 0, 0, 7)];
                if (BpfProgram.CheckPackets(program) is { } good)
                {
                    good.Run(new NumberedBytes());
                    Interlocked.Increment(ref accepted);
                }
            },
            iter: 20_000);
        Assert.True(accepted > 100, $"only {accepted} programs were accepted");
    }

    [Fact]
    public void Check_RefusesWhatDoesNotReturn()
    {
        Assert.Null(BpfProgram.CheckCalls([]));
        Assert.Null(BpfProgram.CheckCalls([new BpfInstruction(0x00, 0, 0, 1)]));
        Assert.Null(BpfProgram.CheckCalls(new BpfInstruction[BpfProgram.MaxLength + 1]));
    }

    [Fact]
    public void Check_RefusesScratchThatOneWayLeavesUnwritten()
    {
        BpfInstruction[] program =
        [
            new(0x15, 0, 1, 5), // jeq #5: only one way writes M[0]
            new(0x02, 0, 0, 0),
            new(0x60, 0, 0, 0),
            new(ReturnConstant, 0, 0, 0),
        ];
        Assert.Null(BpfProgram.CheckCalls(program));
        program[0] = new BpfInstruction(0x15, 0, 0, 5);
        Assert.NotNull(BpfProgram.CheckCalls(program));
    }

    [Fact]
    public void Run_DividesByZeroToZero()
    {
        BpfProgram program = BpfProgram.CheckCalls([new(0x00, 0, 0, 9), new(0x01, 0, 0, 0), new(0x3c, 0, 0, 0), new(ReturnConstant, 0, 0, 5)])!;
        Assert.Equal(0u, program.Run(new SeccompData(new byte[BpfProgram.CallSize])));
    }

    // Sixty bytes, each with its offset as its value; what the check promises is asserted.
    private readonly struct NumberedBytes : IBpfData
    {
        public uint Length => 60;

        public bool TryLoad(uint offset, int size, out uint value)
        {
            Assert.True(size is 1 or 2 or 4);
            value = offset;
            return offset <= Length - size;
        }

        public bool TryLoad(BpfExtension extension, uint a, uint x, out uint value)
        {
            Assert.True(Enum.IsDefined(extension));
            value = a + x;
            return true;
        }
    }
}

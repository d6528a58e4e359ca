using System.Buffers.Binary;
using Moat.Kernel.Bpf;
using Moat.Kernel.Seccomp;
using Moat.Netstack;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;
using Moat.Sockets.Filters;

namespace Moat.Fuzz.Targets;

/// <summary>Classic BPF programs: what passes the check of its kind is run on a call, on a message, and on packets.</summary>
internal sealed class FiltersTarget : FuzzTarget
{
    private const int InstructionSize = 8;

    private static readonly byte[] s_call = [.. Enumerable.Range(0, BpfProgram.CallSize).Select(static i => (byte)i)];
    private static readonly byte[] s_frame = Convert.FromHexString("02000000000102000000000208004500003c00010000400600006633640200000000c63364010050c350000000010000000250100000000000006162636465666768");

    /// <inheritdoc/>
    public override string Name => "filters";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds() =>
    [
        Program([(0x20, 0, 0, 4), (0x15, 0, 1, 0xc000003e), (0x20, 0, 0, 0), (0x35, 0, 1, 400), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000)]),
        Program([(0x28, 0, 0, 12), (0x15, 0, 4, 0x800), (0x30, 0, 0, 23), (0x15, 0, 2, 6), (0xb1, 0, 0, 14), (0x48, 0, 0, 16), (0x16, 0, 0, 0)]),
        Program([(0x20, 0, 0, BpfProgram.Extensions + 52), (0x02, 0, 0, 3), (0x60, 0, 0, 3), (0x07, 0, 0, 0), (0x3c, 0, 0, 0), (0x9c, 0, 0, 0), (0x87, 0, 0, 0), (0x84, 0, 0, 0), (0x16, 0, 0, 0)]),
        Program([(0x00, 0, 0, 4), (0x01, 0, 0, 2), (0x20, 0, 0, BpfProgram.Extensions + 12), (0x20, 0, 0, BpfProgram.Extensions + 16), (0x16, 0, 0, 0)]),
        Program([(0x20, 0, 0, BpfProgram.NegativeOffsets), (0x28, 0, 0, 0xfff00000), (0x30, 0, 0, 0xfff00009), (0x06, 0, 0, 0xffffffff)]),
        Program([(0x80, 0, 0, 0), (0x54, 0, 0, 7), (0x64, 0, 0, 3), (0x6c, 0, 0, 0), (0x05, 0, 0, 1), (0x06, 0, 0, 1), (0xac, 0, 0, 0), (0x16, 0, 0, 0)]),
    ];

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        BpfInstruction[] program = new BpfInstruction[Math.Min(input.Length / InstructionSize, BpfProgram.MaxLength + 1)];
        for (int i = 0; i < program.Length; i++)
        {
            ReadOnlySpan<byte> bytes = input[(i * InstructionSize)..];
            program[i] = new BpfInstruction(BinaryPrimitives.ReadUInt16LittleEndian(bytes), bytes[2], bytes[3], BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
        }

        _ = BpfProgram.CheckCalls(program)?.Run(new SeccompData(s_call));
        if (BpfProgram.CheckPackets(program) is { } good)
        {
            RunOnPackets(new SocketFilter(good));
        }
    }

    private static void RunOnPackets(SocketFilter filter)
    {
        using FuzzedHost host = new();
        NetworkStack stack = host.Stack;
        _ = filter.Run(s_frame);
        _ = filter.Run([]);
        Packet packet = stack.Pool.Rent(s_frame.Length);
        s_frame.CopyTo(packet.Append(s_frame.Length));
        packet.NetworkHeader = packet.Start + EthernetHeader.Length;
        foreach (int skip in (int[])[0, EthernetHeader.Length, 34])
        {
            _ = filter.Run(new FilteredPacket(packet, s_frame.AsSpan(0, skip == 0 ? 14 : 0), skip)
            {
                NetworkOffset = EthernetHeader.Length - skip,
                LinkOffset = skip == 0 ? 0 : null,
                Protocol = (ushort)EtherType.Ipv4,
                Owner = stack.Interfaces[1],
            });
        }

        packet.Release();
    }

    private static byte[] Program(ReadOnlySpan<(ushort Code, byte IfTrue, byte IfFalse, uint Operand)> instructions)
    {
        byte[] bytes = new byte[instructions.Length * InstructionSize];
        for (int i = 0; i < instructions.Length; i++)
        {
            Span<byte> at = bytes.AsSpan(i * InstructionSize);
            BinaryPrimitives.WriteUInt16LittleEndian(at, instructions[i].Code);
            (at[2], at[3]) = (instructions[i].IfTrue, instructions[i].IfFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], instructions[i].Operand);
        }

        return bytes;
    }
}

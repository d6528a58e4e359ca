using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netlink;

/// <summary>The little programs that choose sockets (INET_DIAG_REQ_BYTECODE, <c>linux/inet_diag.h</c>): each instruction that does not hold jumps further; who gets behind the last is chosen.</summary>
internal static class DiagFilter
{
    private const int InstructionLength = 4; // struct inet_diag_bc_op: code, yes, no
    private const int ConditionLength = 8; // struct inet_diag_hostcond: family, prefix, port; the address follows

    private enum Code : byte
    {
        Nop,
        Jump,
        SourceAtLeast,
        SourceAtMost,
        DestinationAtLeast,
        DestinationAtMost,
        Auto,
        SourceMatches,
        DestinationMatches,
        Device,
        Mark,
        SourceIs,
        DestinationIs,
    }

    /// <summary>Whether a program only jumps forwards to instructions, and knows all of them.</summary>
    public static bool IsValid(ReadOnlySpan<byte> program)
    {
        int at = 0;
        while (at < program.Length)
        {
            ReadOnlySpan<byte> rest = program[at..];
            if (rest.Length < InstructionLength || LengthOf(rest) is not { } length || length > rest.Length)
            {
                return false;
            }

            int yes = rest[1];
            int no = BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]);
            bool jumps = (Code)rest[0] != Code.Nop;
            if (yes < length || yes > rest.Length || yes % InstructionLength != 0 || (jumps && (no < length || no > rest.Length + InstructionLength || no % InstructionLength != 0)))
            {
                return false;
            }

            at += yes;
        }

        return at == program.Length;
    }

    /// <summary>Whether a valid program chooses a socket.</summary>
    public static bool Accepts(ReadOnlySpan<byte> program, SocketDescription socket)
    {
        int at = 0;
        while (at < program.Length)
        {
            ReadOnlySpan<byte> instruction = program[at..];
            if (instruction.Length < InstructionLength || LengthOf(instruction) is not { } length || length > instruction.Length)
            {
                return false; // a jump into the middle of something
            }

            bool holds = Holds(instruction, socket);
            at += holds ? Math.Max((int)instruction[1], InstructionLength) : Math.Max((int)BinaryPrimitives.ReadUInt16LittleEndian(instruction[2..]), InstructionLength);
        }

        return at == program.Length;
    }

    private static int? LengthOf(ReadOnlySpan<byte> instruction)
    {
        switch ((Code)instruction[0])
        {
            case Code.Nop or Code.Jump or Code.Auto:
                return InstructionLength;
            case Code.SourceAtLeast or Code.SourceAtMost or Code.DestinationAtLeast or Code.DestinationAtMost or Code.SourceIs or Code.DestinationIs or Code.Device:
                return 2 * InstructionLength; // a number stands in a second one
            case Code.Mark:
                return 3 * InstructionLength;
            case Code.SourceMatches or Code.DestinationMatches when instruction.Length >= InstructionLength + ConditionLength:
                int address = instruction[InstructionLength] switch { (byte)AddressFamily.AF_INET => 4, (byte)AddressFamily.AF_INET6 => 16, _ => 0 };
                return instruction[InstructionLength + 1] <= 8 * address ? InstructionLength + ConditionLength + address : null;
            default:
                return null;
        }
    }

    private static bool Holds(ReadOnlySpan<byte> instruction, SocketDescription socket)
    {
        switch ((Code)instruction[0])
        {
            case Code.Nop:
                return true;
            case Code.Jump:
                return false;
            case Code.SourceAtLeast:
                return socket.Local.Port >= NumberOf(instruction);
            case Code.SourceAtMost:
                return socket.Local.Port <= NumberOf(instruction);
            case Code.SourceIs:
                return socket.Local.Port == NumberOf(instruction);
            case Code.DestinationAtLeast:
                return socket.Remote.Port >= NumberOf(instruction);
            case Code.DestinationAtMost:
                return socket.Remote.Port <= NumberOf(instruction);
            case Code.DestinationIs:
                return socket.Remote.Port == NumberOf(instruction);
            case Code.Device:
                return socket.InterfaceIndex == BinaryPrimitives.ReadInt32LittleEndian(instruction[InstructionLength..]);
            case Code.Mark:
                uint mask = BinaryPrimitives.ReadUInt32LittleEndian(instruction[(2 * InstructionLength)..]);
                return (socket.Mark & mask) == BinaryPrimitives.ReadUInt32LittleEndian(instruction[InstructionLength..]);
            case Code.SourceMatches:
                return Matches(instruction[InstructionLength..], socket.Local);
            case Code.DestinationMatches:
                return Matches(instruction[InstructionLength..], socket.Remote);
            default:
                return socket.Type == SocketType.SOCK_STREAM && socket.Local.Port >= 32768; // Auto: the port was chosen by the kernel
        }
    }

    // The port of a comparison stands where the next instruction has its "no".
    private static int NumberOf(ReadOnlySpan<byte> instruction) => BinaryPrimitives.ReadUInt16LittleEndian(instruction[(InstructionLength + 2)..]);

    private static bool Matches(ReadOnlySpan<byte> condition, IpEndpoint end)
    {
        const int AnyPort = -1;
        int port = BinaryPrimitives.ReadInt32LittleEndian(condition[4..]);
        if (port != AnyPort && port != end.Port)
        {
            return false;
        }

        int prefix = condition[1];
        if (prefix == 0)
        {
            return true;
        }

        return condition[0] switch
        {
            (byte)AddressFamily.AF_INET => end.Address.IsV4 && end.Address.IsInPrefix(IpAddress.FromBytes(condition.Slice(ConditionLength, 4)), prefix),
            (byte)AddressFamily.AF_INET6 => end.Address.IsInPrefix(IpAddress.FromBytes(condition.Slice(ConditionLength, 16)), prefix),
            _ => true,
        };
    }
}

using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Platform.Ptrace;

/// <summary>The seccomp program of the stubs: only what stub code calls, anything else kills the stub (seccomp(2)). The application's own calls never get as far.</summary>
internal static class StubFilter
{
    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K
    private const uint Allow = 0x7fff0000;
    private const uint KillProcess = 0x80000000;
    private const uint ArchX8664 = 0xc000003e;

    private static readonly SyscallNumber[] s_allowed =
    [
        SyscallNumber.mmap, SyscallNumber.munmap, SyscallNumber.mprotect, SyscallNumber.clone, SyscallNumber.pause, SyscallNumber.restart_syscall, SyscallNumber.exit, SyscallNumber.prctl,
    ];

    /// <summary>The program as <c>struct sock_filter</c>s.</summary>
    public static byte[] Program { get; } = Assemble();

    private static byte[] Assemble()
    {
        List<(ushort Code, byte True, byte False, uint Value)> program =
        [
            (LoadWord, 0, 0, 4), // seccomp_data.arch
            (JumpEqual, 1, 0, ArchX8664),
            (Return, 0, 0, KillProcess),
            (LoadWord, 0, 0, 0), // seccomp_data.nr
        ];
        for (int i = 0; i < s_allowed.Length; i++)
        {
            program.Add((JumpEqual, (byte)(s_allowed.Length - i), 0, (uint)s_allowed[i]));
        }

        program.Add((Return, 0, 0, KillProcess));
        program.Add((Return, 0, 0, Allow));
        byte[] bytes = new byte[program.Count * 8];
        for (int i = 0; i < program.Count; i++)
        {
            Span<byte> instruction = bytes.AsSpan(i * 8, 8);
            BinaryPrimitives.WriteUInt16LittleEndian(instruction, program[i].Code);
            instruction[2] = program[i].True;
            instruction[3] = program[i].False;
            BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], program[i].Value);
        }

        return bytes;
    }
}

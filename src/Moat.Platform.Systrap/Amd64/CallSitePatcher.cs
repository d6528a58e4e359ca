using System.Buffers.Binary;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>Call sites of x86-64: an instruction of five bytes or more before <c>syscall</c> becomes <c>jmp rel32</c>. A trampoline is a record (see <see cref="FastCallCode"/>) and code that executes the
/// instruction that was displaced and goes on in the stub's code.</summary>
internal sealed class CallSitePatcher(ulong fastCode) : ICallSitePatcher
{
    private const int JumpSize = 5;
    private const int RecordSize = 24; // return address, address of the syscall instruction, address of the code that goes on
    private const int RecordTarget = 16;

    // Instructions that mean the same anywhere, as compilers and runtimes have them there: prefix bytes, and their length.
    private static readonly (byte[] Bytes, int Length)[] s_patterns =
    [
        ([0x48, 0xc7, 0xc0], 7), // mov rax, imm32
        ([0x4c, 0x8b, 0x4c, 0x24], 5), // mov r9, [rsp + disp8]: the C libraries' syscall()
        ([0x48, 0x8b, 0x44, 0x24], 5), // mov rax, [rsp + disp8]: Go
    ];

    /// <inheritdoc/>
    public int TrampolineSize => 64;

    /// <inheritdoc/>
    public int CodeOffset => RecordSize;

    /// <inheritdoc/>
    public ulong Reach => 0x7f00_0000;

    /// <inheritdoc/>
    public int FindPatch(ReadOnlySpan<byte> before, ulong number)
    {
        foreach ((byte[] bytes, int length) in s_patterns)
        {
            if (before.Length >= length && before[^length..].StartsWith(bytes))
            {
                return length;
            }
        }

        return EndsWithMoveToEax(before, number) ? JumpSize : 0;
    }

    /// <inheritdoc/>
    public void Write(ulong syscallAddress, Span<byte> site, ulong trampolineAddress, Span<byte> trampoline)
    {
        const int SyscallSize = 2;
        trampoline.Fill(0xcc);
        BinaryPrimitives.WriteUInt64LittleEndian(trampoline[FastCallCode.RecordReturn..], syscallAddress + SyscallSize);
        BinaryPrimitives.WriteUInt64LittleEndian(trampoline[FastCallCode.RecordSyscall..], syscallAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(trampoline[RecordTarget..], fastCode);
        int at = RecordSize;
        site.CopyTo(trampoline[at..]);
        at += site.Length;
        at += Emit(trampoline[at..], [0x4c, 0x8d, 0x1d], -(at + 7)); // lea r11, [rip + record]
        Emit(trampoline[at..], [0xff, 0x25], RecordTarget - (at + 6)); // jmp [rip + target]
        site.Fill(0x90);
        Emit(site, [0xe9], (int)(long)(trampolineAddress + RecordSize - (syscallAddress - (ulong)site.Length + JumpSize)));
    }

    // mov eax, imm32, with the number that the call had, and not the end of a longer instruction with a prefix.
    private static bool EndsWithMoveToEax(ReadOnlySpan<byte> before, ulong number) => before.Length > JumpSize
        && before[^JumpSize] == 0xb8
        && BinaryPrimitives.ReadUInt32LittleEndian(before[^4..]) == number
        && before[^(JumpSize + 1)] is not ((>= 0x40 and <= 0x4f) or 0x66 or 0xf2 or 0xf3);

    private static int Emit(Span<byte> code, ReadOnlySpan<byte> opcode, int operand)
    {
        opcode.CopyTo(code);
        BinaryPrimitives.WriteInt32LittleEndian(code[opcode.Length..], operand);
        return opcode.Length + sizeof(int);
    }
}

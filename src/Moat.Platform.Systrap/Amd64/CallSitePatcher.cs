using System.Buffers.Binary;

namespace Moat.Platform.Systrap.Amd64;

/// <summary>Call sites of x86-64: an instruction of five bytes or more before <c>syscall</c> becomes <c>jmp rel32</c>; a shorter one becomes <c>jmp rel8</c> to padding behind a function's end, where
/// the <c>jmp rel32</c> is. A trampoline is a record (see <see cref="FastCallCode"/>) and code that executes the instruction that was displaced and goes on in the stub's code.</summary>
internal sealed class CallSitePatcher(ulong fastCode) : ICallSitePatcher
{
    private const int JumpSize = 5;
    private const int ShortJumpSize = 2;
    private const byte Nop = 0x90;
    private const int RecordSize = 24; // return address, address of the syscall instruction, address of the code that goes on
    private const int RecordTarget = 16;
    private const int SyscallSize = 2;

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
    public bool TryFind(ReadOnlySpan<byte> page, int syscall, ulong number, out CallSitePatch patch)
    {
        int length = FindFrequent(page[..syscall], number);
        if (length == 0)
        {
            length = CodeWindow.FindBefore(page, syscall, number);
        }

        patch = new CallSitePatch(syscall - length, length);
        if (length is >= JumpSize or 0)
        {
            return length > 0;
        }

        if (length < ShortJumpSize || !CodeWindow.TryFindPadding(page, syscall + SyscallSize, patch.Start + ShortJumpSize + sbyte.MaxValue, JumpSize, out int island, out int islandLength))
        {
            return false;
        }

        patch = patch with { Island = island, IslandLength = islandLength };
        return true;
    }

    /// <inheritdoc/>
    public void Write(in CallSitePatch patch, Span<byte> page, ulong pageAddress, ulong trampolineAddress, Span<byte> trampoline)
    {
        ulong syscallAddress = pageAddress + (ulong)patch.Syscall;
        trampoline.Fill(0xcc);
        BinaryPrimitives.WriteUInt64LittleEndian(trampoline[FastCallCode.RecordReturn..], syscallAddress + SyscallSize);
        BinaryPrimitives.WriteUInt64LittleEndian(trampoline[FastCallCode.RecordSyscall..], syscallAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(trampoline[RecordTarget..], fastCode);
        int at = RecordSize;
        Span<byte> site = page.Slice(patch.Start, patch.Length);
        site.CopyTo(trampoline[at..]);
        at += site.Length;
        at += Emit(trampoline[at..], [0x4c, 0x8d, 0x1d], -(at + 7)); // lea r11, [rip + record]
        Emit(trampoline[at..], [0xff, 0x25], RecordTarget - (at + 6)); // jmp [rip + target]
        site.Fill(Nop);
        int jump = patch.Start;
        if (patch.Island >= 0)
        {
            jump = patch.Island;
            page.Slice(jump, patch.IslandLength).Fill(Nop);
            site[0] = 0xeb;
            site[1] = (byte)(jump - (patch.Start + ShortJumpSize));
        }

        Emit(page[jump..], [0xe9], (int)(long)(trampolineAddress + RecordSize - (pageAddress + (ulong)jump + JumpSize)));
    }

    private static int FindFrequent(ReadOnlySpan<byte> before, ulong number)
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

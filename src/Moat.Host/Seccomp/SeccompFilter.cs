using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Host.Seccomp;

/// <summary>A seccomp program in the making (seccomp(2)): a list of calls that are allowed, some only with certain arguments; the rest is refused. x86-64 calls only:
/// 32-bit and x32 ones kill the process, or trap if the rest does.</summary>
public sealed unsafe class SeccompFilter
{
    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort JumpGreaterOrEqual = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    private const ushort And = 0x54; // BPF_ALU | BPF_AND | BPF_K
    private const ushort Return = 0x06; // BPF_RET | BPF_K
    private const ushort JumpGreater = 0x25; // BPF_JMP | BPF_JGT | BPF_K
    private const ushort JumpGreaterOrEqualX = 0x3d; // BPF_JMP | BPF_JGE | BPF_X
    private const ushort MoveToX = 0x07; // BPF_MISC | BPF_TAX
    private const ushort AddX = 0x0c; // BPF_ALU | BPF_ADD | BPF_X
    private const uint AllowAction = 0x7fff0000;
    private const uint ErrnoAction = 0x00050000;
    private const uint KillProcess = (uint)SeccompAction.KillProcess;
    private const uint ArchX8664 = 0xc000003e;
    private const uint X32Bit = 0x40000000;
    private const int ArgumentsOffset = 16; // of struct seccomp_data

    private readonly List<(ushort Code, byte True, byte False, uint Value)> _program = [];
    private readonly uint _otherwise;

    /// <summary>A program that allows nothing yet.</summary>
    /// <param name="otherwise">What happens to a call that is not allowed.</param>
    public SeccompFilter(SeccompAction otherwise = SeccompAction.RefusePermission)
    {
        _otherwise = (uint)otherwise;
        uint foreign = otherwise == SeccompAction.Trap ? _otherwise : KillProcess;
        _program.AddRange(
        [
            (LoadWord, 0, 0, 4), // seccomp_data.arch
            (JumpEqual, 1, 0, ArchX8664),
            (Return, 0, 0, foreign),
            (LoadWord, 0, 0, 0), // seccomp_data.nr
            (JumpGreaterOrEqual, 0, 1, X32Bit),
            (Return, 0, 0, foreign),
        ]);
    }

    /// <summary>From here on calls are allowed only if their instruction lies in a range of addresses, which must not cross a multiple of 4 GiB.</summary>
    public SeccompFilter OnlyFrom(ulong start, ulong end)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(start >> 32, end >> 32);
        _program.AddRange(
        [
            (LoadWord, 0, 0, 12), // seccomp_data.instruction_pointer, high half: behind the instruction
            (JumpEqual, 1, 0, (uint)(start >> 32)),
            (Return, 0, 0, _otherwise),
            (LoadWord, 0, 0, 8),
            (JumpGreaterOrEqual, 1, 0, (uint)start),
            (Return, 0, 0, _otherwise),
            (JumpGreater, 0, 1, (uint)end),
            (Return, 0, 0, _otherwise),
            (LoadWord, 0, 0, 0),
        ]);
        return this;
    }

    /// <summary>Allows calls whatever their arguments.</summary>
    public SeccompFilter Allow(params ReadOnlySpan<SyscallNumber> numbers)
    {
        foreach (SyscallNumber number in numbers)
        {
            _program.Add((JumpEqual, 0, 1, (uint)number));
            _program.Add((Return, 0, 0, AllowAction));
        }

        return this;
    }

    /// <summary>Allows a call if the low half of an argument, masked, has a value; it is refused with EPERM otherwise, unless a later rule for the same call allows it.</summary>
    public SeccompFilter AllowIf(SyscallNumber number, int argument, uint mask, uint value)
    {
        _program.Add((JumpEqual, 0, 5, (uint)number));
        _program.Add((LoadWord, 0, 0, (uint)(ArgumentsOffset + (argument * 8)))); // little-endian: the low half comes first
        _program.Add((And, 0, 0, mask));
        _program.Add((JumpEqual, 0, 1, value));
        _program.Add((Return, 0, 0, AllowAction));
        _program.Add((LoadWord, 0, 0, 0));
        return this;
    }

    /// <summary>Allows mprotect(2) of less than 4 GiB below an address, a multiple of 4 GiB, without PROT_EXEC, if the range does not cross such a multiple.</summary>
    public SeccompFilter AllowProtectionBelow(ulong limit)
    {
        const int Address = ArgumentsOffset;
        const int Length = ArgumentsOffset + 8;
        const int Protection = ArgumentsOffset + 16;
        const int High = 4;
        const uint ReadWrite = 3;
        ArgumentOutOfRangeException.ThrowIfNotEqual((uint)limit, 0U);
        _program.AddRange(
        [
            (JumpEqual, 0, 13, (uint)SyscallNumber.mprotect),
            (LoadWord, 0, 0, Address + High),
            (JumpGreaterOrEqual, 10, 0, (uint)(limit >> 32)),
            (LoadWord, 0, 0, Length + High),
            (JumpEqual, 0, 8, 0),
            (LoadWord, 0, 0, Protection),
            (JumpGreater, 6, 0, ReadWrite),
            (LoadWord, 0, 0, Address),
            (MoveToX, 0, 0, 0),
            (LoadWord, 0, 0, Length),
            (AddX, 0, 0, 0),
            (JumpGreaterOrEqualX, 0, 1, 0), // the sum of the lower halves has not wrapped round
            (Return, 0, 0, AllowAction),
            (LoadWord, 0, 0, 0),
        ]);
        return this;
    }

    /// <summary>Refuses a call with another errno than EPERM.</summary>
    public SeccompFilter Refuse(SyscallNumber number, Errno errno)
    {
        _program.Add((JumpEqual, 0, 1, (uint)number));
        _program.Add((Return, 0, 0, ErrnoAction | (uint)errno));
        return this;
    }

    /// <summary>Ends the process that tries a call.</summary>
    public SeccompFilter Kill(params ReadOnlySpan<SyscallNumber> numbers)
    {
        foreach (SyscallNumber number in numbers)
        {
            _program.Add((JumpEqual, 0, 1, (uint)number));
            _program.Add((Return, 0, 0, KillProcess));
        }

        return this;
    }

    /// <summary>Puts the filter on all threads of the process, for good. Sets no_new_privs on the calling one.</summary>
    public Errno Install()
    {
        const int SetModeFilter = 1;
        const int SynchronizeThreads = 1;
        const int PrSetNoNewPrivs = 38;
        Errno errno = HostCall.Invoke(SyscallNumber.prctl, PrSetNoNewPrivs, 1, 0, 0, 0).Errno;
        if (errno != Errno.None)
        {
            return errno;
        }

        byte[] bytes = Assemble();

        // SAFETY: struct sock_fprog { unsigned short len; struct sock_filter *filter; } on this stack frame points to the pinned program, which the kernel copies.
        fixed (byte* pointer = bytes)
        {
            long* header = stackalloc long[2];
            header[0] = bytes.Length / 8;
            header[1] = (long)pointer;
            SyscallResult result = HostCall.Invoke(SyscallNumber.seccomp, SetModeFilter, SynchronizeThreads, (nint)header);
            return result.IsError ? result.Errno : result.Raw == 0 ? Errno.None : Errno.EBUSY; // a thread that cannot take the filter
        }
    }

    /// <summary>Writes the program as a <c>struct sock_fprog</c>, for machine code to install.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="address">The address of the same memory for whoever installs it.</param>
    public void WriteTo(Span<byte> destination, ulong address)
    {
        const int HeaderSize = 16;
        byte[] bytes = Assemble();
        BinaryPrimitives.WriteUInt64LittleEndian(destination, (ulong)bytes.Length / 8);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], address + HeaderSize);
        bytes.CopyTo(destination[HeaderSize..]);
    }

    private byte[] Assemble()
    {
        List<(ushort Code, byte True, byte False, uint Value)> program = [.. _program, (Return, 0, 0, _otherwise)];
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

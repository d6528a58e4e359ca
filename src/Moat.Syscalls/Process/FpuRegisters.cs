using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>The FPU state of a tracee, in the format of FXSAVE (512 bytes) or of XSAVE, with XCR0 in the words that FXSAVE leaves to software (Intel SDM vol. 1, chapter 13).</summary>
internal static class FpuRegisters
{
    /// <summary>Bytes of FXSAVE's format.</summary>
    public const int LegacySize = 512;

    private const int Mxcsr = 24;
    private const int MxcsrMask = 28;
    private const int SoftwareBytes = 464;
    private const int Features = 512; // XSTATE_BV
    private const int Reserved = 520; // XCOMP_BV and what follows it in the header
    private const int HeaderEnd = 576;
    private const ulong LegacyFeatures = 3; // x87 and SSE

    /// <summary>Copies it out.</summary>
    /// <param name="task">The tracer.</param>
    /// <param name="tracee">Whose.</param>
    /// <param name="address">Where to.</param>
    /// <param name="length">How much of it.</param>
    /// <param name="isExtended">Whether in XSAVE's format.</param>
    public static Errno Get(GuestTask task, Tracee tracee, GuestAddress address, int length, bool isExtended)
    {
        byte[] state = new byte[tracee.Task.Context.FpuStateSize];
        Errno errno = tracee.TransferFpuState(task, state, isWrite: false);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!isExtended)
        {
            state.AsSpan(SoftwareBytes, LegacySize - SoftwareBytes).Clear();
        }

        return task.Memory.CopyOut(address, state.AsSpan(0, length));
    }

    /// <summary>Sets the part that FXSAVE's format has; the rest stays.</summary>
    /// <returns>EINVAL for bits of MXCSR that the processor reserves.</returns>
    public static Errno SetLegacy(GuestTask task, Tracee tracee, GuestAddress address)
    {
        byte[] state = new byte[tracee.Task.Context.FpuStateSize];
        Errno errno = tracee.TransferFpuState(task, state, isWrite: false);
        if (errno != Errno.None)
        {
            return errno;
        }

        uint mask = BinaryPrimitives.ReadUInt32LittleEndian(state.AsSpan(MxcsrMask));
        errno = task.Memory.CopyIn(address, state.AsSpan(0, SoftwareBytes));
        if (errno != Errno.None)
        {
            return errno;
        }

        if ((BinaryPrimitives.ReadUInt32LittleEndian(state.AsSpan(Mxcsr)) & ~mask) != 0)
        {
            return Errno.EINVAL;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(state.AsSpan(MxcsrMask), mask);
        BinaryPrimitives.WriteUInt64LittleEndian(state.AsSpan(Features), BinaryPrimitives.ReadUInt64LittleEndian(state.AsSpan(Features)) | LegacyFeatures);
        return tracee.TransferFpuState(task, state, isWrite: true);
    }

    /// <summary>Sets all of it.</summary>
    /// <returns>EINVAL for features that the processor does not have, a header that is not of the standard format, and reserved bits of MXCSR.</returns>
    public static Errno SetExtended(GuestTask task, Tracee tracee, GuestAddress address)
    {
        byte[] now = new byte[tracee.Task.Context.FpuStateSize];
        byte[] state = new byte[now.Length];
        Errno errno = tracee.TransferFpuState(task, now, isWrite: false);
        errno = errno != Errno.None ? errno : task.Memory.CopyIn(address, state);
        if (errno != Errno.None)
        {
            return errno;
        }

        ulong known = BinaryPrimitives.ReadUInt64LittleEndian(now.AsSpan(SoftwareBytes));
        uint mask = BinaryPrimitives.ReadUInt32LittleEndian(now.AsSpan(MxcsrMask));
        if ((BinaryPrimitives.ReadUInt64LittleEndian(state.AsSpan(Features)) & ~known) != 0
            || state.AsSpan(Reserved, HeaderEnd - Reserved).ContainsAnyExcept((byte)0)
            || (BinaryPrimitives.ReadUInt32LittleEndian(state.AsSpan(Mxcsr)) & ~mask) != 0)
        {
            return Errno.EINVAL;
        }

        now.AsSpan(MxcsrMask, sizeof(uint)).CopyTo(state.AsSpan(MxcsrMask));
        now.AsSpan(SoftwareBytes, LegacySize - SoftwareBytes).CopyTo(state.AsSpan(SoftwareBytes));
        return tracee.TransferFpuState(task, state, isWrite: true);
    }
}

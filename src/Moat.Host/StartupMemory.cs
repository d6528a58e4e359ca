using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host;

/// <summary>What a process holds because it has started: garbage, and pages of code that runs once. A process that lives on gives it back when it has come to rest.</summary>
public static unsafe class StartupMemory
{
    private const int ProgramHeaders = 3; // AT_PHDR
    private const int ProgramHeaderCount = 5; // AT_PHNUM
    private const uint Load = 1; // PT_LOAD
    private const uint Itself = 6; // PT_PHDR
    private const uint Executable = 1; // PF_X
    private const uint Writable = 2; // PF_W
    private const int DontNeed = 4; // MADV_DONTNEED
    private const ulong PageMask = 4095;

    /// <summary>Collects and hands free memory back to the host; code that is still executed comes back from the page cache by a few page faults. Takes some milliseconds, in which other managed threads stand still.</summary>
    public static void Release()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ReleaseCode();
    }

    // The code is mapped from the executable and never written: position-independent code has its relocations elsewhere.
    private static void ReleaseCode()
    {
        // SAFETY: the kernel gives the address and number of the program headers that it has mapped for this program (getauxval(3)); they stay there, read-only.
        ReadOnlySpan<ProgramHeader> headers = new((void*)HostAuxiliary.GetValue(ProgramHeaders), (int)HostAuxiliary.GetValue(ProgramHeaderCount));
        ulong start = 0;
        foreach (ref readonly ProgramHeader header in headers)
        {
            start = header.Type == Itself ? HostAuxiliary.GetValue(ProgramHeaders) - header.Address : start;
        }

        foreach (ref readonly ProgramHeader header in headers)
        {
            if (start != 0 && header.Type == Load && (header.Flags & (Executable | Writable)) == Executable)
            {
                ulong first = (start + header.Address) & ~PageMask;
                ulong end = (start + header.Address + header.Size + PageMask) & ~PageMask;

                // SAFETY: the pages are the file's own, unchanged; what is executed next reads the same bytes again.
                HostCall.Invoke(SyscallNumber.madvise, (nint)first, (nint)(end - first), DontNeed);
            }
        }
    }

    /// <remarks><c>Elf64_Phdr</c>.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ProgramHeader
    {
        public readonly uint Type;
        public readonly uint Flags;
        private readonly ulong _offset;
        public readonly ulong Address;
        private readonly ulong _physicalAddress;
        private readonly ulong _fileSize;
        public readonly ulong Size;
        private readonly ulong _alignment;
    }
}

using Moat.Host;
using Moat.Linux;

namespace Moat.Platform;

/// <summary>The host's vDSO in the Sentry's address space: code, and below it the data, with which the host's clocks are read without a system call (vdso(7)).</summary>
/// <param name="Start">The first byte of the data.</param>
/// <param name="Image">The first byte of the code, an ELF image.</param>
/// <param name="End">The end of the code.</param>
public sealed unsafe record HostVdso(ulong Start, ulong Image, ulong End)
{
    private const ulong PageSize = MemoryFile.PageSize;
    private const ulong MaxPages = 64;

    /// <summary>Finds it, without /proc: the Sentry's root has none.</summary>
    /// <returns>Null if the host has none.</returns>
    public static HostVdso? Find()
    {
        ulong image = HostAuxiliary.GetValue(HostAuxiliary.SysinfoEhdr);
        if (image == 0 || image % PageSize != 0)
        {
            return null;
        }

        ulong start = image;
        while (IsKernels(start - PageSize) && (image - start) / PageSize < MaxPages)
        {
            start -= PageSize;
        }

        ulong end = image;
        while (IsKernels(end) && (end - image) / PageSize < MaxPages)
        {
            end += PageSize;
        }

        return start < image && end > image ? new HostVdso(start, image, end) : null;
    }

    /// <summary>The address of a function in the Sentry; 0 if there is none.</summary>
    public ulong FindFunction(ReadOnlySpan<byte> name)
    {
        // SAFETY: the host's kernel made this ELF image and mapped it for the life of the process.
        ReadOnlySpan<byte> image = new((void*)Image, (int)(End - Image));
        return ElfSymbols.Find(image, name) is > 0 and ulong offset ? Image + offset : 0;
    }

    /// <summary>The address of a function in a process that has all of this moved; 0 if there is none.</summary>
    /// <param name="name">The function.</param>
    /// <param name="start">Where <see cref="Start"/> is there.</param>
    public ulong FindMovedFunction(string name, ulong start) => FindFunction(System.Text.Encoding.ASCII.GetBytes(name)) is > 0 and ulong address ? start + (address - Start) : 0;

    // What the kernel itself has put into the address space can't be made part of a core dump again; ordinary memory can, and is so already (madvise(2)).
    private static bool IsKernels(ulong page)
    {
        const int DoDump = 17;
        return HostCall.Invoke(SyscallNumber.madvise, (nint)page, (nint)PageSize, DoDump).Errno == Errno.EINVAL;
    }
}

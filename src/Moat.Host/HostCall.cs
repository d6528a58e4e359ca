using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host;

/// <summary>A system call of the host by number, through libc's syscall(2): one door for all wrappers, with nothing of libc's own in between.</summary>
public static partial class HostCall
{
    /// <summary>Makes the call. Pointers among the arguments must stay valid until it returns.</summary>
    /// <returns>The kernel's answer; EINTR is the caller's to handle.</returns>
    public static SyscallResult Invoke(SyscallNumber number, nint a0 = 0, nint a1 = 0, nint a2 = 0, nint a3 = 0, nint a4 = 0, nint a5 = 0)
    {
        long result = Syscall((long)number, a0, a1, a2, a3, a4, a5);
        return result == -1 ? (Errno)Marshal.GetLastPInvokeError() : result;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Syscall(long number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5);
}

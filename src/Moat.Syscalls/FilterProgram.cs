using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Syscalls;

/// <summary><c>struct sock_fprog</c>: a classic BPF program as a caller gives it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FilterProgram
{
    /// <summary>How many instructions there are.</summary>
    public readonly ushort Length;

    /// <summary>Where they are.</summary>
    public readonly GuestAddress Instructions;
}

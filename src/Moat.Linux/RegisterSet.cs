using System.Runtime.InteropServices;

namespace Moat.Linux;

/// <summary>The general registers of an x86-64 thread: <c>struct user_regs_struct</c> of <c>sys/user.h</c>, field for field.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RegisterSet
{
    public ulong R15;
    public ulong R14;
    public ulong R13;
    public ulong R12;
    public ulong Rbp;
    public ulong Rbx;
    public ulong R11;
    public ulong R10;
    public ulong R9;
    public ulong R8;
    public ulong Rax;
    public ulong Rcx;
    public ulong Rdx;
    public ulong Rsi;
    public ulong Rdi;

    /// <summary>The number of the system call being made, or all ones outside of one.</summary>
    public ulong OrigRax;

    public ulong Rip;
    public ulong Cs;
    public ulong Eflags;
    public ulong Rsp;
    public ulong Ss;
    public ulong FsBase;
    public ulong GsBase;
    public ulong Ds;
    public ulong Es;
    public ulong Fs;
    public ulong Gs;
}

using System.Runtime.InteropServices;

namespace Moat.Linux;

/// <summary>The registers in a signal frame of x86-64: <c>struct sigcontext</c> of <c>asm/sigcontext.h</c>, field for field.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SignalContext
{
    public ulong R8;
    public ulong R9;
    public ulong R10;
    public ulong R11;
    public ulong R12;
    public ulong R13;
    public ulong R14;
    public ulong R15;
    public ulong Rdi;
    public ulong Rsi;
    public ulong Rbp;
    public ulong Rbx;
    public ulong Rdx;
    public ulong Rax;
    public ulong Rcx;
    public ulong Rsp;
    public ulong Rip;
    public ulong Eflags;
    public ushort Cs;
    public ushort Gs;
    public ushort Fs;
    public ushort Ss;

    /// <summary>The processor's error code of an exception.</summary>
    public ulong ErrorCode;

    /// <summary>The exception's vector.</summary>
    public ulong TrapNumber;

    public ulong OldMask;

    /// <summary>The address of a page fault.</summary>
    public ulong Cr2;

    /// <summary>Where the FPU state is.</summary>
    public ulong FpState;

    private readonly ReservedWords _reserved;

    /// <summary>Takes general registers, flags and the selectors of code and stack from a register set.</summary>
    public void Store(in RegisterSet from)
    {
        R8 = from.R8;
        R9 = from.R9;
        R10 = from.R10;
        R11 = from.R11;
        R12 = from.R12;
        R13 = from.R13;
        R14 = from.R14;
        R15 = from.R15;
        Rdi = from.Rdi;
        Rsi = from.Rsi;
        Rbp = from.Rbp;
        Rbx = from.Rbx;
        Rdx = from.Rdx;
        Rax = from.Rax;
        Rcx = from.Rcx;
        Rsp = from.Rsp;
        Rip = from.Rip;
        Eflags = from.Eflags;
        Cs = (ushort)from.Cs;
        Ss = (ushort)from.Ss;
    }

    /// <summary>Gives general registers, flags and the selectors of code and stack to a register set; the rest of it stays.</summary>
    public readonly void Load(ref RegisterSet to)
    {
        to.R8 = R8;
        to.R9 = R9;
        to.R10 = R10;
        to.R11 = R11;
        to.R12 = R12;
        to.R13 = R13;
        to.R14 = R14;
        to.R15 = R15;
        to.Rdi = Rdi;
        to.Rsi = Rsi;
        to.Rbp = Rbp;
        to.Rbx = Rbx;
        to.Rdx = Rdx;
        to.Rax = Rax;
        to.Rcx = Rcx;
        to.Rsp = Rsp;
        to.Rip = Rip;
        to.Eflags = Eflags;
        to.Cs = Cs;
        to.Ss = Ss;
    }

    [System.Runtime.CompilerServices.InlineArray(8)]
    private struct ReservedWords
    {
        private ulong _first;
    }
}

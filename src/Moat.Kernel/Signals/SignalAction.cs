using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>What a process does with a signal.</summary>
/// <remarks><c>struct kernel_sigaction</c> of x86-64.</remarks>
/// <param name="Handler">0 is SIG_DFL, 1 is SIG_IGN.</param>
/// <param name="Flags">SA_*.</param>
/// <param name="Restorer">Where a handler returns to.</param>
/// <param name="Mask">Blocked while the handler runs.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SignalAction(ulong Handler, ulong Flags, ulong Restorer, SignalSet Mask)
{
    public const ulong NoChildStop = 1;
    public const ulong NoChildWait = 2;
    public const ulong HasRestorer = 0x04000000;
    public const ulong OnStack = 0x08000000;
    public const ulong Restart = 0x10000000;
    public const ulong NoDefer = 0x40000000;
    public const ulong ResetHandler = 0x80000000;

    /// <summary>SIG_DFL.</summary>
    public bool IsDefault => Handler == 0;

    /// <summary>SIG_IGN.</summary>
    public bool IsIgnore => Handler == 1;
}

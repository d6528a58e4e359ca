using System.Runtime.InteropServices;

namespace Moat.Kernel.Ipc;

/// <summary><c>struct sembuf</c>.</summary>
/// <param name="Number">Which semaphore of the set.</param>
/// <param name="Change">What is added; 0 waits for zero.</param>
/// <param name="Flags">IPC_NOWAIT, SEM_UNDO.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SemaphoreOperation(ushort Number, short Change, short Flags)
{
    /// <summary>SEM_UNDO.</summary>
    public const short UndoFlag = 0x1000;
}

namespace Moat.Platform.Systrap.Amd64;

/// <summary>How a stub thread handed over.</summary>
internal enum HandOverReason
{
    /// <summary>By a signal: the kernel's frame has everything.</summary>
    Signal,

    /// <summary>By a patched call: general registers are in <see cref="ThreadSlot.FastContext"/>, the FPU state is in the processor.</summary>
    FastCall,
}

namespace Moat.Platform;

/// <summary>What may be done, or was tried, with memory. <see cref="Unknown"/> as the kind of a fault means that the platform cannot tell
/// (ptrace does not hand out the processor's error code): whoever handles it maps what is missing for reading, and takes a second fault on
/// what is already readable for a write.</summary>
[Flags]
public enum MemoryAccess
{
    Unknown = 0,
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,
}

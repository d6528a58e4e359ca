namespace Moat.Kernel.Futex;

/// <summary>What makes two futex words the same: a private one by address space and address, a shared one by file and offset.</summary>
/// <param name="Owner">A <see cref="Memory.MemoryManager"/> or a <see cref="Memory.IMappable"/>.</param>
/// <param name="Offset">The address, or the offset in the file.</param>
public readonly record struct FutexKey(object Owner, ulong Offset);

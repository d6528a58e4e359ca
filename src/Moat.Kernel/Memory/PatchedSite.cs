namespace Moat.Kernel.Memory;

/// <summary>Code before a <c>syscall</c> instruction that was replaced by a jump.</summary>
/// <param name="Syscall">The address of the <c>syscall</c> instruction.</param>
/// <param name="Original">The bytes that stood before it.</param>
/// <param name="Trampoline">The page with its trampoline.</param>
internal sealed record PatchedSite(ulong Syscall, byte[] Original, ulong Trampoline);

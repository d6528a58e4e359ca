using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>A <c>syscall</c> instruction whose calls go through a trampoline.</summary>
/// <param name="Syscall">Its address.</param>
/// <param name="Patch">What was changed in its page.</param>
/// <param name="Original">The instruction that stood before it.</param>
/// <param name="Padding">What stood where the patch has its island.</param>
/// <param name="Trampoline">The page with its trampoline.</param>
internal sealed record PatchedSite(ulong Syscall, CallSitePatch Patch, byte[] Original, byte[] Padding, ulong Trampoline)
{
    /// <summary>The address of the instruction before it.</summary>
    public ulong Start => Syscall - (ulong)Original.Length;

    /// <summary>Puts the original code into the page.</summary>
    public void Restore(Span<byte> page)
    {
        Original.CopyTo(page[Patch.Start..]);
        if (Patch.Island >= 0)
        {
            Padding.CopyTo(page[Patch.Island..]);
        }
    }
}

using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>Collects the entries of a layer's directory, without "." and "..".</summary>
internal sealed class OverlayEntryList : IDirectorySink
{
    /// <summary>What was collected.</summary>
    public List<OverlayEntry> Entries { get; } = [];

    public bool TryAdd(ReadOnlySpan<byte> name, ulong inode, Mode type, long nextOffset)
    {
        if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
        {
            Entries.Add(new OverlayEntry(new FileName(name), inode, type));
        }

        return true;
    }
}
